# ./dev run [--port N] [--with-apps] [ODOO ARGS]: the product with demo data, served on this machine by serve.py. Sourced by ../dev.

name=client_equipment_dev # the database

use_run_database() {
  export ODOO_DATA_DIR=$data/odoo
  writable "$ODOO_DATA_DIR/filestore"
  database run
}

prepare() { # prepare ADDONS: the state of what is installed is kept in the database itself, as its comment
  local addons=$1 state log=$data/odoo.log
  state=$(addons_state "$addons")
  if ! database_exists "$name"; then
    step "Making the database with demo data"
    drop_database "$name-new"
    odoo_step "$log" -d "$name-new" -i "$addons" --with-demo || die "Odoo could not make the database (see $log)"
    rename_database "$name-new" "$name"
  elif [[ $(sql "$name" "SELECT shobj_description(oid, 'pg_database') FROM pg_database
      WHERE datname = current_database()") != "$state" ]]; then
    step "Updating the addons"
    odoo_step "$log" -d "$name" -i "$addons" -u "$addons" --with-demo || die "Odoo could not update the addons (see $log)
       To begin with a new database, move $data away."
  else
    return 0
  fi
  sql "$name" "COMMENT ON DATABASE \"$name\" IS '$state'"
}

check_port() { # before the rest is made; what serves it takes it for good
  [[ $1 =~ ^[0-9]{1,5}$ ]] && ((10#$1 > 0 && 10#$1 < 65536)) || die "--port needs a number from 1 to 65535, not $1"
  ! : 2>/dev/null <>"/dev/tcp/127.0.0.1/$1" || die "something else listens on port $1; ./dev run --port N takes another"
}

run() {
  local port= addons others=()
  addons=$(core_addons)
  while (($#)); do
    case $1 in
      --port=*) set -- --port "${1#*=}" "${@:2}" && continue ;;
      --port) port=${2:-nothing} && shift ;;
      --with-apps) addons=$(our_addons) ;;
      *) others+=("$1") ;;
    esac
    shift || true
  done
  [[ ! $port ]] || check_port "$port"
  writable "$data"
  exec 7>"$data/run.lock"
  flock -n 7 || die "./dev run is already running from this folder"
  setup
  use_run_database
  unlock
  prepare "$addons"
  step "Starting the server"
  [[ $PGHOST != /tmp/odoo-pg.* ]] || export POSTMASTER=$(head -1 "$data/postgres/postmaster.pid")
  exec python "$root/tools/serve.py" "${port:-0}" -d "$name" --db-filter="^$name\$" --no-database-list --log-level=warn "${others[@]}"
}
