# What all of tools/ shares: where things are, how to say what happens, one lock. Sourced, not run.
# What people have set for their own work would change what programs do here.
for theirs in CDPATH POSTMASTER "${!PYTHON@}" "${!ODOO_@}" PIP_{TARGET,PREFIX,ROOT,PYTHON,DRY_RUN}; do
  [[ $theirs == ODOO_ROOT ]] || unset "$theirs"
done
export PIP_USER=0 no_proxy=127.0.0.1,localhost${no_proxy:+,$no_proxy}${NO_PROXY:+,$NO_PROXY}

root=$(cd "${BASH_SOURCE%/*}/.." && pwd -P)
cache=$root/.cache # what can be made again
data=$root/.data   # what `./dev run` must not lose

step() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
warn() { printf '\033[1mwarning:\033[0m %s\n' "$*" >&2; }
die() { # die WHY: and whether it is for want of room, which programs tell in many ways or not at all
  local place free
  printf '\033[1merror:\033[0m %s\n' "$*" >&2
  for place in "$root" "${TMPDIR:-/tmp}"; do
    free=$(df --output=avail -m "$place" 2>/dev/null | tail -1)
    ((${free:-1000} > 100)) || printf '       The disk of %s is full: %d MB are free.\n' "$place" "$free" >&2
  done
  exit 1
}

growing() { # growing FOLDER COMMAND…: a terminal shows how large the folder has become while the command runs
  local folder=$1 ticker= status=0
  shift
  if [[ -t 2 ]]; then
    while sleep 1 && kill -0 $$; do printf '\r    %s MB ' "$(du -sm "$folder" | cut -f1)" >&3; done \
      3>&2 2>/dev/null 7>&- 8>&- 9>&- &
    ticker=$!
  fi
  "$@" || status=$?
  if [[ $ticker ]]; then kill "$ticker" && printf '\r\033[K' >&2; fi
  return "$status"
}

logged() { # logged LOG COMMAND…
  local log=$1
  shift
  "$@" >"$log" 2>&1
}

first_error() { # first_error PATTERN LOG: the line of a log that says why
  { grep -m1 "$1" "$2" || tail -1 "$2"; } | cut -c1-300
}

writable() { # writable FOLDER: it is there, it is ours, and files can be made in it
  mkdir -p "$1" 2>/dev/null || true
  [[ ! -e $1 || -O $1 ]] ||
    die "$1 belongs to $(stat -c %U "$1"): run ./dev as that user, or first  sudo chown -R $(id -un) ${1@Q}"
  [[ -w $1 ]] || die "cannot write to $1"
}

lock() { # one ./dev at a time sets things up; others wait
  writable "$cache"
  exec 9>"$cache/lock"
  flock -n 9 || { step "Waiting for another ./dev to finish its set-up" && flock 9; }
}
unlock() { exec 9>&-; }
