# What `run` and `test` do with Odoo and its databases. Sourced by ../dev.

our_addons() { # comma-separated
  (cd "$root" && for addon in client_equipment*/__manifest__.py; do dirname "$addon"; done | paste -sd,)
}

odoo_step() { # odoo_step LOG ARGS…: Odoo does one thing and ends; the log is kept, its progress and warnings shown
  local log=$1 tty=
  shift
  [[ ! -t 2 ]] || tty=1
  python -m odoo --max-cron-threads=0 --no-http --stop-after-init "$@" 2>&1 | tee "$log" |
    awk -v tty="$tty" '
      / (WARNING|ERROR|CRITICAL) / || shown && !/^[0-9]{4}-[0-9-]+ / { print (tty ? "\r\033[K" : "") $0; shown = 1; next }
      { shown = 0 }
      tty && match($0, /Loading module .*\)/) { printf "\r\033[K    %s", substr($0, RSTART + 15, RLENGTH - 15) }
      { fflush() }
      END { if (tty) printf "\r\033[K" }' >&2
}

database_exists() { [[ $(psql -Atd postgres -c "SELECT 1 FROM pg_database WHERE datname = '$1'") ]]; }

copy_database() {
  createdb -T "$1" "$2"
  mkdir -p "$ODOO_DATA_DIR/filestore/$1"
  cp -al "$ODOO_DATA_DIR/filestore/$1" "$ODOO_DATA_DIR/filestore/$2"
}

rename_database() {
  rm -rf "$ODOO_DATA_DIR/filestore/$2"
  mv "$ODOO_DATA_DIR/filestore/$1" "$ODOO_DATA_DIR/filestore/$2"
  psql -qd postgres -c "ALTER DATABASE \"$1\" RENAME TO \"$2\""
}

drop_database() {
  dropdb --if-exists --force "$1" 2>/dev/null
  rm -rf "$ODOO_DATA_DIR/filestore/$1"
}
