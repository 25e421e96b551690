# What `run` and `test` do with Odoo and its databases. Sourced by ../dev.

our_addons() { # comma-separated
  (cd "$root" && for addon in client_equipment*/__manifest__.py; do dirname "$addon"; done | paste -sd,)
}

# Some of our addons join one of Odoo's apps, and install themselves beside it. Those apps are large, and slow all
# that is done with a database; so what needs none of them goes without, and the others have databases of their own.
join='"(product|stock|purchase|sale_management)"' # how such an addon names what it depends on

core_addons() { (cd "$root" && grep -LE "$join" client_equipment*/__manifest__.py | cut -d/ -f1 | paste -sd,); }

joining_addons() { (cd "$root" && grep -lE "$join" client_equipment*/__manifest__.py | cut -d/ -f1 | paste -sd,); }

addons_state() { # addons_state ADDONS: changes with what Odoo reads of them, and with Odoo
  (cd "$root" && { cat "$odoo/odoo/release.py" && tr , '\n' <<<"$1" |
    xargs -I{} find {} -type f ! -name '*.pyc' ! -path '*/tests/*.py' ! -path '*/readme/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum; } |
    sha256sum | cut -c1-64)
}

loud='^[0-9]+-[0-9]+-[0-9]+ [0-9:,]+ [0-9]+ (WARNING|ERROR|CRITICAL) ' # how such a line of Odoo's log begins

odoo_step() { # odoo_step LOG ARGS…: Odoo does one thing and ends; the log is kept, its progress and warnings shown
  local log=$1 tty=
  shift
  [[ ! -t 2 ]] || tty=1
  odoo --max-cron-threads=0 --stop-after-init "$@" 2>&1 | tee "$log" |
    awk -v tty="$tty" -v loud="$loud" '
      $0 ~ loud || shown && !/^[0-9]+-[0-9]+-[0-9]+ / { print (tty ? "\r\033[K" : "") $0; shown = 1; next }
      { shown = 0 }
      tty && match($0, /Loading module .*\)/) { printf "\r\033[K    %s", substr($0, RSTART + 15, RLENGTH - 15) }
      { fflush() }
      END { if (tty) printf "\r\033[K" }' >&2 || { tail -1 "$log" | grep -v '^[0-9-]* [0-9:,]* ' >&2; return 1; }
}

database_exists() { [[ $(sql postgres "SELECT 1 FROM pg_database WHERE datname = '$1'") ]]; }

copy_database() {
  createdb -T "$1" "$2"
  mkdir -p "$ODOO_DATA_DIR/filestore/$1"
  rm -rf "$ODOO_DATA_DIR/filestore/$2"
  cp -al "$ODOO_DATA_DIR/filestore/$1" "$ODOO_DATA_DIR/filestore/$2"
}

free_port() { python -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])'; }

rename_database() {
  rm -rf "$ODOO_DATA_DIR/filestore/$2"
  mv "$ODOO_DATA_DIR/filestore/$1" "$ODOO_DATA_DIR/filestore/$2"
  sql postgres "ALTER DATABASE \"$1\" RENAME TO \"$2\""
}

drop_database() {
  PGOPTIONS='-c client_min_messages=warning' dropdb --if-exists --force "$1"
  rm -rf "$ODOO_DATA_DIR/filestore/$1"
}
