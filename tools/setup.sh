# How a bare machine comes to have Odoo 19 and all it needs. Sourced by ../dev.

find_python() { # Odoo 19 runs here on Python 3.11 and 3.12
  local python
  for python in python3.11 python3.12 python3; do
    "$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null &&
      command -v "$python" && return
  done
  return 1
}

missing_packages() { # Debian's names of what this machine lacks
  [[ -e $cache/venv/bin/python ]] || find_python >/dev/null || echo python3 python3-venv
  command -v google-chrome chromium chromium-browser >/dev/null || echo chromium fonts-dejavu-core
  command -v wkhtmltopdf >/dev/null || echo wkhtmltopdf
  /sbin/ldconfig -p | grep -q 'libmagic\.so\.1' || echo libmagic1
}

setup_system() {
  local missing
  missing=$(missing_packages | xargs)
  [[ $missing ]] || return 0
  command -v apt-get >/dev/null || die "please install what Debian calls: $missing"
  ((EUID == 0)) || die "system packages are missing; please run:  sudo apt-get install $missing"
  step "Installing system packages: $missing"
  apt-get update -q >"$cache/apt.log" 2>&1 &&
    DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $missing >>"$cache/apt.log" 2>&1 ||
    die "apt-get could not install them: $(grep -m1 '^E:' "$cache/apt.log") (all of it: $cache/apt.log)"
}

setup_odoo() {
  if [[ ${ODOO_ROOT:-} ]]; then
    odoo=$(cd "$ODOO_ROOT" 2>/dev/null && pwd) && [[ -e $odoo/odoo/release.py ]] || die "ODOO_ROOT=$ODOO_ROOT holds no Odoo"
    return
  fi
  odoo=$cache/odoo/usr/lib/python3/dist-packages
  [[ -d $cache/odoo ]] || "$root/tools/odoo-source"
}

setup_python() {
  local venv=$cache/venv lockfile=$root/tools/requirements.lock
  cmp -s "$lockfile" "$venv/installed.lock" && return
  step "Installing Odoo's Python packages (100 MB)"
  [[ -e $venv/bin/python ]] || "$(find_python)" -m venv --clear "$venv"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
    -r "$lockfile" >"$cache/pip.log" 2>&1 ||
    die "pip could not install them: $(grep -m1 '^ERROR' "$cache/pip.log") (all of it: $cache/pip.log)"
  cp "$lockfile" "$venv/installed.lock"
}

setup() {
  lock
  setup_system
  setup_odoo
  setup_python
  export PYTHONPATH=$odoo PATH=$root/tools/bin:$cache/venv/bin:$PATH
  # Odoo's own names for its options as environment variables: arguments and configuration files stay the user's
  export ODOO_RC=${ODOO_RC:-/dev/null} ODOO_ADDONS_PATH=$root ODOO_HTTP_INTERFACE=127.0.0.1
}
