# ./dev test: our addons, installed by Odoo into a copy of a template database, then pytest. Sourced by ../dev.

use_test_database() { # the name of the template is left in $template
  export ODOO_DATA_DIR=$cache/test-data
  mkdir -p "$ODOO_DATA_DIR"
  cd "$root"
  setup
  database test
  make_template
  unlock
}

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

make_template() { # what our addons depend on, with the web client's assets built
  local modules log=$cache/template.log
  modules=$(dependencies)
  template=template_$({
    cat tools/requirements.lock "$odoo/odoo/release.py"
    echo "$odoo $modules"
    declare -f make_template
  } | sha256sum | cut -c1-12)
  ! database_exists "$template" || return 0
  step "Making the template database: $modules"
  drop_database "$template-new"
  odoo_step "$log" -d "$template-new" -i "$modules" || die "Odoo could not make the template database (see $log)"
  python -m odoo shell -d "$template-new" --no-http >"$log" 2>&1 \
    <<<"env['ir.qweb']._pregenerate_assets_bundles(); env.cr.commit()" || die "Odoo could not build the assets (see $log)"
  rename_database "$template-new" "$template"
}

with_addons() { # with_addons NAME ADDONS ARGS…: a database with them, dropped at the end; any warning is a failure
  local name=$1 addons=$2 log=$ODOO_DATA_DIR/$1.log
  shift 2
  trap "drop_database $name; rm -f $log" EXIT
  copy_database "$template" "$name"
  step "Installing $addons${*:+ ($*)}"
  odoo_step "$log" -d "$name" -i "$addons" "$@" || die "Odoo could not install $addons"
  ! grep -qE '^[0-9-]{10} [0-9:,]+ [0-9]+ (WARNING|ERROR|CRITICAL) ' "$log" || die "there were warnings while installing $addons"
}

addons_named() { # those that the arguments name, else all
  local named
  named=$(printf '%s\n' "$@" | grep -oE '^(\./)?client_equipment[a-z_]*' | sed 's|^\./||' | sort -u | paste -sd,)
  echo "${named:-$(our_addons)}"
}

run_tests() {
  use_test_database
  with_addons "test_$$" "$(addons_named "$@")"
  python -m pytest --odoo-http --odoo-database="test_$$" "$@"
}

# Odoo's own suites over our addons with their demo data: its lints, and its robot that clicks everything.
lints=(TestIndex TestNaming TestLintOverrideSignatures TestTestHoles PotLinter TestOnchangeDomains TestDunderinit)

run_odoo_suites() {
  local tags suite failed= log=$cache/odoo-suites.log
  tags=$(printf '/test_lint:%s,' "${lints[@]}")click_all/web:TestMenusAdmin
  use_test_database
  with_addons "suites_$$" "test_lint,$(our_addons)" --with-demo
  step "Running Odoo's own suites"
  python -m odoo -d "suites_$$" --http-port="$(free_port)" --max-cron-threads=0 --stop-after-init --test-tags="$tags" \
    >"$log" 2>&1 || failed=1
  grep -E ' (WARNING|ERROR|CRITICAL) |odoo.tests.result' "$log" >&2
  for suite in "${lints[@]}" TestMenusAdmin; do
    grep -qE "(INFO|RUNBOT) .*Starting $suite\." "$log" || { failed=1 && warn "$suite did not run"; }
  done
  [[ ! $failed ]] || die "Odoo's own suites failed (all of it: $log)"
}
