# ./dev test: our addons, installed by Odoo into a copy of a template database, then pytest. Sourced by ../dev.

dependencies() { # what our addons need and our tests use, comma-separated
  python - <<'PY'
import ast
from pathlib import Path

needed = {"api_doc", "base_import", "rpc", "web_tour"}
manifests = sorted(Path().glob("client_equipment*/__manifest__.py"))
for manifest in manifests:
    needed.update(ast.literal_eval(manifest.read_text()).get("depends", []))
print(",".join(sorted(needed - {manifest.parent.name for manifest in manifests})))
PY
}

make_template() { # what our addons depend on, with the web client's assets built; its name is left in $template
  local modules log=$cache/template.log
  modules=$(dependencies)
  template=ce_template_$({
    cat tools/requirements.lock "$odoo/odoo/release.py"
    echo "$odoo $modules"
    declare -f make_template
  } | sha256sum | cut -c1-12)
  ! database_exists "$template" || return 0
  drop_databases '^ce_template_[0-9a-f]{12}' 3
  drop_database "$template-new"
  step "Making the template database: $modules"
  odoo_step "$log" -d "$template-new" -i "$modules" || die "Odoo could not make the template database (see $log)"
  logged "$log" python -m odoo shell -d "$template-new" --no-http \
    <<<"env['ir.qweb']._pregenerate_assets_bundles(); env.cr.commit()" || die "Odoo could not build the assets (see $log)"
  rename_database "$template-new" "$template"
}

drop_databases() { # drop_databases PATTERN [N]: all but the N youngest
  local name
  for name in $(psql -Atd postgres -c "SELECT datname FROM pg_database WHERE datname ~ '$1'
      ORDER BY oid DESC OFFSET ${2:-0}"); do
    # a run's database has the run's process in its name, and is its own while that lives
    [[ $name =~ _([0-9]+)$ && -e /proc/${BASH_REMATCH[1]} ]] || drop_database "$name"
  done
}

begin() { # begin NAME ADDONS ARGS…: a database with the addons, gone at the end; a warning is a failure
  local addons=$2
  base=$1_$$
  shift 2
  export ODOO_DATA_DIR=$cache/test-data
  mkdir -p "$ODOO_DATA_DIR"
  cd "$root"
  setup
  database test
  [[ $PGHOST != /tmp/odoo-pg.* ]] || drop_databases '^ce_[a-z]+_[0-9]{1,7}$' # left over by killed runs
  make_template
  export template # tests of coming and going start from it
  TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/odoo-test.XXXXXX") # browsers leave things behind
  export TMPDIR
  trap 'drop_database "$base"; rm -rf "$TMPDIR"' EXIT
  copy_database "$template" "$base"
  unlock
  # an addon gets its demo data only where what it depends on counts as having its own
  [[ $* != *--with-demo* ]] || psql -qd "$base" -c "UPDATE ir_module_module SET demo = true WHERE state = 'installed'"
  step "Installing $addons${*:+ $*}"
  odoo_step "$TMPDIR/install.log" -d "$base" -i "$addons" "$@" || die "Odoo could not install $addons"
  ! grep -qE "$loud" "$TMPDIR/install.log" || die "there were warnings while installing $addons"
}

addons_named() { # those that the arguments name, else all
  local named
  named=$(printf '%s\n' "$@" | grep -oE '^(\./)?client_equipment[a-z_]*' | sed 's|^\./||' | sort -u | paste -sd,)
  echo "${named:-$(our_addons)}"
}

run_tests() {
  begin ce_test "$(addons_named "$@")"
  setup_lint
  export AXE=$cache/lint/node_modules/axe-core/axe.min.js # for tools/tests/test_accessibility.py
  python -m pytest --odoo-http --odoo-database="$base" "$@"
}

# Odoo's own suites over our addons with their demo data: its lints, and its robot that clicks everything.
lints=(TestIndex TestNaming TestLintOverrideSignatures TestTestHoles PotLinter TestOnchangeDomains TestDunderinit)

run_odoo_suites() {
  local tags suite failed= log
  tags=$(printf '/test_lint:%s,' "${lints[@]}")click_all/web:TestMenusAdmin
  begin ce_suites "test_lint,$(our_addons)" --with-demo
  log=$TMPDIR/suites.log
  step "Running Odoo's own suites"
  odoo_step "$log" -d "$base" --http-port="$(free_port)" --test-tags="$tags" || failed=1
  for suite in "${lints[@]}" TestMenusAdmin; do
    grep -q ": Starting $suite\." "$log" || { failed=1 && warn "$suite did not run"; }
  done
  [[ ! $failed ]] || die "Odoo's own suites failed"
  grep -o '0 failed, .* tests' "$log"
}

# Our addons as wheels: built, installed into an empty folder beside Odoo, loaded from there.
run_packages() {
  local site
  begin ce_packages base
  site=$TMPDIR/site
  step "Building and installing $(our_addons)"
  mkdir "$TMPDIR/src"
  cp -r client_equipment*/ "$TMPDIR/src"
  python -m pip install -q --disable-pip-version-check --no-deps --no-index --no-build-isolation --target "$site" \
    "$TMPDIR"/src/* || die "the addons do not build as wheels"
  step "Loading them from there"
  cd "$TMPDIR"
  PYTHONPATH=$site:$PYTHONPATH ODOO_ADDONS_PATH=$odoo/odoo/addons \
    odoo_step "$TMPDIR/packages.log" -d "$base" -i "$(our_addons)" || die "Odoo cannot load the wheels"
  ! grep -qE "$loud" "$TMPDIR/packages.log" || die "there were warnings while installing the wheels"
  [[ $(psql -Atd "$base" -c "SELECT count(*) FROM ir_module_module
      WHERE state = 'installed' AND name LIKE 'client_equipment%'") == $(our_addons | tr , '\n' | wc -l) ]] ||
    die "Odoo did not find the wheels"
}
