# ./dev lint: all of them, whatever the ones before said. Sourced by ../dev.

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

translations() { # what the installed addons would export now, against what is kept
  local addon
  for addon in client_equipment*/; do
    python -m odoo i18n export -d "$base" -o "$TMPDIR/${addon%/}.pot" "${addon%/}" 2>"$TMPDIR/export.log" || return
  done
  python tools/translations.py "$TMPDIR"
}

lint() {
  local failed=()
  begin ce_lint "$(our_addons)"
  check() { step "$*" && "$@" || failed+=("$1"); }
  check ruff check
  check ruff format --check
  check python -m pylint client_equipment*/
  check python -m oca_pre_commit_hooks.cli client_equipment*/
  check xml_well_formed
  check python tools/readme.py --check
  check translations
  ((${#failed[@]} == 0)) || die "lint: ${failed[*]}"
}
