"""Check that the templates for translation are current and every language is complete.

Usage: translations.py FOLDER, which holds a fresh <addon>.pot of each addon.
"""

import re
import sys
from pathlib import Path

import polib

PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|%[sd]")


# Fields that other addons of Odoo give to our models.
OTHERS = ("message_has_sms_error", "website_message_ids")


def is_ours(entry):
    """Leave out the fields that Odoo's own sms and portal add where they came before
    our addons."""
    return not all(
        any(name in place for name in OTHERS) for place, _ in entry.occurrences
    )


def problems(fresh, i18n):
    template = {entry.msgid for entry in polib.pofile(str(fresh)) if is_ours(entry)}
    template_file = i18n / fresh.name
    kept = set()
    if template_file.exists():
        kept = {entry.msgid for entry in polib.pofile(str(template_file))}
    yield from (f"not in {fresh.name}: {text}" for text in template - kept)
    yield from (f"no longer used, in {fresh.name}: {text}" for text in kept - template)
    for language in sorted(i18n.glob("*.po")):
        translated = {
            entry.msgid: entry.msgstr
            for entry in polib.pofile(str(language))
            if entry.translated()
        }
        for text in sorted(template):
            if text not in translated:
                yield f"not in {language}: {text}"
            elif sorted(PLACEHOLDERS.findall(text)) != sorted(
                PLACEHOLDERS.findall(translated[text])
            ):
                yield f"other placeholders in {language}: {text}"


def main(folder):
    found = [
        problem
        for fresh in sorted(Path(folder).glob("*.pot"))
        for problem in problems(fresh, Path(fresh.stem) / "i18n")
    ]
    print("\n".join(found))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
