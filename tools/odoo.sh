# What `run` and `test` do with Odoo and its databases. Sourced by ../dev.

our_addons() { # comma-separated
  (cd "$root" && for addon in client_equipment*/__manifest__.py; do dirname "$addon"; done | paste -sd,)
}

addons_state() { # addons_state [ADDONS]: changes with what Odoo reads of them, and with Odoo
  (cd "$root" && { cat "$odoo/odoo/release.py" && tr , '\n' <<<"${1:-$(our_addons)}" |
    xargs -I{} find {} -type f ! -name '*.pyc' ! -path '*/tests/*.py' ! -path '*/readme/*' -print0 | sort -z | xargs -0 sha256sum; } |
    sha256sum | cut -c1-64)
}

loud='^[0-9]+-[0-9]+-[0-9]+ [0-9:,]+ [0-9]+ (WARNING|ERROR|CRITICAL) ' # how such a line of Odoo's log begins

odoo_step() { # odoo_step LOG ARGS…: Odoo does one thing and ends; the log is kept, its progress and warnings shown
  local log=$1 tty=
  shift
  [[ ! -t 2 ]] || tty=1
  python -m odoo --max-cron-threads=0 --stop-after-init "$@" 2>&1 | tee "$log" |
    awk -v tty="$tty" -v loud="$loud" '
      $0 ~ loud || shown && !/^[0-9]+-[0-9]+-[0-9]+ / { print (tty ? "\r\033[K" : "") $0; shown = 1; next }
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

free_port() { # free_port [N]: N, or the first free one from 8069
  python - "$@" <<'PY'
import socket, sys

for port in map(int, sys.argv[1:] or range(8069, 8169)):
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            continue
    sys.exit(print(port))
sys.exit(1)
PY
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
