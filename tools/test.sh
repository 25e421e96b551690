# ./dev test: our addons installed by Odoo into a copy of a template database, then pytest. Sourced by ../dev.

odoo_quiet() { python -m odoo --max-cron-threads=0 --no-http --stop-after-init "$@"; }

dependencies() { # what our addons need and our tests use, comma-separated
  python - "${addons[@]}" <<'PY'
import ast, pathlib, sys
manifests = [pathlib.Path(addon, "__manifest__.py") for addon in sys.argv[1:]]
needed = {"base_import", "web_tour", "api_doc", "rpc"}
for manifest in filter(pathlib.Path.exists, manifests):
    needed.update(ast.literal_eval(manifest.read_text()).get("depends", []))
print(",".join(sorted(needed - set(sys.argv[1:]))))
PY
}

template() { # the name of the template database, made if need be
  local modules name
  modules=$(dependencies)
  name=template_$({ cat "$root/tools/requirements.lock" "$root/tools/test.sh" "$odoo/odoo/release.py"; echo "$modules"; } | sha256sum | cut -c1-12)
  if [[ ! $(psql -Atd postgres -c "SELECT 1 FROM pg_database WHERE datname = '$name'") ]]; then
    step "Making the template database ($modules)"
    dropdb --if-exists --force "$name-new" 2>/dev/null
    rm -rf "$ODOO_DATA_DIR/filestore/$name-new"
    odoo_quiet -d "$name-new" -i "$modules" --log-level=warn >&2 || die "Odoo could not make the template database"
    echo "env['ir.qweb']._pregenerate_assets_bundles(); env.cr.commit()" |
      python -m odoo shell -d "$name-new" --no-http --log-level=warn >&2
    mv "$ODOO_DATA_DIR/filestore/$name-new" "$ODOO_DATA_DIR/filestore/$name"
    psql -qd postgres -c "ALTER DATABASE \"$name-new\" RENAME TO $name"
  fi
  echo "$name"
}

copy_database() {
  createdb -T "$1" "$2"
  mkdir -p "$ODOO_DATA_DIR/filestore"
  cp -al "$ODOO_DATA_DIR/filestore/$1" "$ODOO_DATA_DIR/filestore/$2"
}

drop_database() {
  dropdb --if-exists --force "$1" 2>/dev/null
  rm -rf "$ODOO_DATA_DIR/filestore/$1"
}

install_addons() { # a warning while installing is a failure
  local log=$ODOO_DATA_DIR/$1.log
  odoo_quiet -d "$1" -i "$(installed_addons)" --log-level=warn >"$log" 2>&1 ||
    { cat "$log" >&2 && die "Odoo could not install our addons"; }
  if grep -qE '^[0-9-]+ [0-9:,]+ [0-9]+ (WARNING|ERROR|CRITICAL) ' "$log"; then
    cat "$log" >&2
    die "Odoo had warnings while installing our addons"
  fi
  rm -f "$log"
}

run_tests() {
  local name=test_$$ from
  export ODOO_DATA_DIR=$cache/test-data
  mkdir -p "$ODOO_DATA_DIR"
  cd "$root"
  database test
  from=$(template)
  unlock
  trap "drop_database $name" EXIT
  copy_database "$from" "$name"
  step "Installing $(installed_addons)"
  install_addons "$name"
  python -m pytest --odoo-http --odoo-database="$name" "$@"
}
