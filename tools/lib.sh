# What all of tools/ shares: where things are, how to say what happens, one lock. Sourced, not run.
root=$(cd "${BASH_SOURCE%/*}/.." && pwd -P)
cache=$root/.cache # what can be made again
data=$root/.data   # what `./dev run` must not lose
addons=(client_equipment client_equipment_software_key)

step() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

installed_addons() { # those of ours that are there, comma-separated
  local addon found=()
  for addon in "${addons[@]}"; do [[ -e $root/$addon/__manifest__.py ]] && found+=("$addon"); done
  (IFS=, && echo "${found[*]}")
}

lock() { # one ./dev at a time sets things up; others wait
  mkdir -p "$cache"
  exec 9>"$cache/lock" || die "cannot write to $cache"
  flock -n 9 || { step "Waiting for another ./dev to finish its set-up" && flock 9; }
}
unlock() { exec 9>&-; }
