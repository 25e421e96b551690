# ./dev test and its kin: databases that are ready, and what runs on copies of them. Sourced by ../dev.

needed() { # needed ADDONS: what of ours they need, themselves included; a blank; what of Odoo's (comma-separated)
  python - "$1" <<'PY'
import ast, sys
from pathlib import Path

todo, ours, theirs = set(sys.argv[1].split(",")), set(), {"api_doc", "base_import", "rpc", "web_tour"}
while todo:
    addon = todo.pop()
    if (manifest := Path(addon, "__manifest__.py")).exists():
        ours.add(addon)
        todo |= set(ast.literal_eval(manifest.read_text())["depends"]) - ours
    else:
        theirs.add(addon)
print(",".join(sorted(ours)), ",".join(sorted(theirs)))
PY
}

# Tests run in copies of databases that are kept as long as what they are made of is the same: a template with what our
# addons need, and on it a ready one with our addons. Both hold the web client's bundles: a tour that found none would
# build them, and the end of the test would take them away again.

keep_database() { # keep_database KIND STATE ADDONS [FROM]: its name is left in $kept
  local log=$cache/$1.log
  kept=ce_$1_$(sha256sum <<<"$2" | cut -c1-12)
  ! { database_exists "$kept" && [[ -d $ODOO_DATA_DIR/filestore/$kept ]]; } || return 0
  drop_databases "^ce_$1_[0-9a-f]{12}" 3
  drop_database "$kept"
  drop_database "$kept-new"
  step "Making the $1 database: $3"
  [[ ! ${4:-} ]] || copy_database "$4" "$kept-new"
  odoo_step "$log" -d "$kept-new" -i "$3" || die "Odoo could not install $3 (see $log)"
  [[ $1 == template ]] || no_warnings "$log" "$3"
  logged "$log" odoo shell -d "$kept-new" --no-http <tools/bundles.py || die "Odoo could not build the bundles (see $log)"
  rename_database "$kept-new" "$kept"
}

make_template() { # make_template ADDONS: its name is left in $template
  local modules
  modules=$(needed "$1")
  modules=${modules#* }
  keep_database template "$(cat tools/{requirements.lock,bundles.py} "$odoo/odoo/release.py") ${ODOO_ROOT:-} $modules" "$modules"
  template=$kept
}

make_ready() { # make_ready ADDONS: its name is left in $ready
  local modules
  make_template "$1"
  modules=$(needed "$1")
  modules=${modules% *}
  # a bundle is outdated when one of its files is touched
  keep_database ready "$template $(addons_state "$modules") $(tr , '\n' <<<"$modules" |
    xargs -I{} find {}/static -type f -printf '%p %T@\n' | sort)" "$modules" "$template"
  ready=$kept
}

no_warnings() { ! grep -qE "$loud" "$1" || die "there were warnings while installing $2 (see $1)"; }

drop_databases() { # drop_databases PATTERN [N [mine]]: all but the N youngest
  local name
  for name in $(sql postgres "SELECT datname FROM pg_database WHERE datname ~ '$1'
      ORDER BY oid DESC OFFSET ${2:-0}"); do
    # a run's databases have the run's process in their names, and are its own while that lives
    [[ ! ${3:-} && $name =~ _([0-9]+)(_gw[0-9]+)?$ && -e /proc/${BASH_REMATCH[1]} ]] || drop_database "$name"
  done
}

clear_away() { # clear_away FOLDER: with the browsers that were left alone in it
  local process
  for process in $(grep -slF -- "--user-data-dir=$1" /proc/[0-9]*/cmdline | cut -d/ -f3); do
    kill "$process" 2>/dev/null || true
  done
  rm -rf "$1"
}

sweep() { # the folders of killed runs
  local folder
  for folder in "${TMPDIR:-/tmp}"/odoo-test.*.*; do
    [[ ! -O $folder || ${folder##*/} =~ ^odoo-test\.([0-9]+)\. && -e /proc/${BASH_REMATCH[1]} ]] || clear_away "$folder"
  done
}

begin() { # begin NAME: a database of one's own is to be made and named by $base; it is gone at the end
  local folder
  base=$1_$$
  export ODOO_DATA_DIR=$cache/test-data
  setup
  cd "$root"
  mkdir -p "$ODOO_DATA_DIR"
  database test
  [[ $PGHOST != /tmp/odoo-pg.* ]] || drop_databases '^ce_[a-z]+_[0-9]{1,7}(_gw[0-9]+)?$' # left over by killed runs
  sweep
  folder=$(mktemp -d "${TMPDIR:-/tmp}/odoo-test.$$.XXXXXX" 2>/dev/null) || die "cannot write to ${TMPDIR:-/tmp}"
  export TMPDIR=$folder # browsers leave things behind
  trap end EXIT
}

end() {
  drop_databases "^$base(_gw[0-9]+)?\$" 0 mine
  clear_away "$TMPDIR"
}

begin_ready() { # begin_ready NAME ADDONS: with our addons as they are now
  begin "$1"
  make_ready "$2"
  export template ready # tests of coming and going start from these
  copy_database "$ready" "$base"
  unlock
}

begin_new() { # begin_new NAME ADDONS ARGS…: with what Odoo installs now; a warning is a failure
  local addons=$2
  begin "$1"
  shift 2
  make_template "$(core_addons)"
  copy_database "$template" "$base"
  unlock
  # an addon gets its demo data only where what it depends on counts as having its own
  [[ $* != *--with-demo* ]] || sql "$base" "UPDATE ir_module_module SET demo = true WHERE state = 'installed'"
  step "Installing $addons${*:+ $*}"
  odoo_step "$TMPDIR/install.log" -d "$base" -i "$addons" "$@" || die "Odoo could not install $addons"
  no_warnings "$TMPDIR/install.log" "$addons"
}

addons_named() { # those that the arguments name, else the core; all where one of them joins an app
  local named
  named=$(printf '%s\n' "$@" | grep -oE '^(\./)?client_equipment[a-z_]*' | sed 's|^\./||' | sort -u)
  if grep -qxF "$(joining_addons | tr , '\n')" <<<"$named"; then
    our_addons
  elif [[ " $*" == *" tools/"* ]]; then
    core_addons # from what all of these need start the tests of the tools
  else
    paste -sd, <<<"${named:-$(core_addons)}"
  fi
}

run_tests() {
  local argument
  for argument; do
    [[ $argument != [^-]*.py* || -e $root/${argument%%::*} || -e /${argument%%::*} ]] || die "there is no file ${argument%%::*} in $root"
  done
  begin_ready ce_test "$(addons_named "$@")"
  setup_lint
  export AXE=$cache/lint/node_modules/axe-core/axe.min.js # for tools/tests/test_accessibility.py
  python -m pytest --odoo-http --odoo-database="$base" "$@"
}

# Our addons as wheels: built, installed into an empty folder beside Odoo, loaded from there.
run_packages() {
  local site
  begin ce_packages
  make_template "$(our_addons)"
  copy_database "$template" "$base"
  unlock
  site=$TMPDIR/site
  step "Building and installing $(our_addons)"
  mkdir "$TMPDIR/src"
  cp -r client_equipment*/ "$TMPDIR/src"
  python -m pip install -q --disable-pip-version-check --no-deps --no-index --no-build-isolation --target "$site" \
    "$TMPDIR"/src/* || die "the addons do not build as wheels"
  cmp -s LICENSE "$site/odoo/addons/client_equipment_software_key/LICENSE" || die "the license text is not in the wheel"
  step "Loading them from there"
  cd "$TMPDIR"
  PYTHONPATH=$site:$PYTHONPATH ODOO_ADDONS_PATH=$odoo/odoo/addons \
    odoo_step "$TMPDIR/packages.log" -d "$base" -i "$(our_addons)" || die "Odoo cannot load the wheels"
  no_warnings "$TMPDIR/packages.log" "the wheels"
  [[ $(sql "$base" "SELECT count(*) FROM ir_module_module
      WHERE state = 'installed' AND name LIKE 'client_equipment%'") == $(our_addons | tr , '\n' | wc -l) ]] ||
    die "Odoo did not find the wheels"
}
