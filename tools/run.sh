# ./dev run [--port N] [ODOO ARGS]: the product with demo data, served on this machine. Sourced by ../dev.

name=client_equipment_dev # the database

use_run_database() {
  export ODOO_DATA_DIR=$data/odoo
  mkdir -p "$ODOO_DATA_DIR/filestore"
  database run
}

prepare() { # the state of what is installed is kept in the database itself, as its comment
  local addons state log=$data/odoo.log
  addons=$(our_addons)
  state=$(addons_state)
  if ! database_exists "$name"; then
    step "Making the database with demo data"
    drop_database "$name-new"
    odoo_step "$log" -d "$name-new" -i "$addons" --with-demo || die "Odoo could not make the database (see $log)"
    rename_database "$name-new" "$name"
  elif [[ $(psql -Atd "$name" -c "SELECT shobj_description(oid, 'pg_database') FROM pg_database
      WHERE datname = current_database()") != "$state" ]]; then
    step "Updating the addons"
    odoo_step "$log" -d "$name" -i "$addons" -u "$addons" --with-demo || die "Odoo could not update the addons (see $log)"
  else
    return 0
  fi
  psql -qd "$name" -c "COMMENT ON DATABASE \"$name\" IS '$state'"
}

announce() { # waits until the server answers, as long as it lives
  local url=http://127.0.0.1:$1
  until python -c "import urllib.request as r; r.urlopen('$url/web/login', timeout=60)" 2>/dev/null; do
    kill -0 $$ 2>/dev/null || return 0
    sleep 0.2
  done
  cat <<END

  Ready:  $url

    technician     technician / technician
    manager        manager / manager
    auditor        auditor / auditor
    administrator  admin / admin

  Ctrl-C stops it; the data stays.

END
}

run() {
  local port= free
  case ${1:-} in
    --port=*) port=${1#*=} && shift ;;
    --port) port=${2:?--port needs a number} && shift 2 ;;
  esac
  mkdir -p "$data" && exec 7>"$data/run.lock" || die "cannot write to $data"
  flock -n 7 || die "./dev run is already running from this folder"
  setup
  free=$(free_port $port) || die "no port is free${port:+: something else listens on $port}; ./dev run --port N takes another"
  use_run_database
  unlock
  prepare
  step "Starting the server"
  announce "$free" 7>&- 8>&- &
  exec python -m odoo -d "$name" --db-filter="^$name\$" --no-database-list --http-port="$free" --log-level=warn "$@"
}
