import io

import openpyxl
from lxml import html

from odoo.tests import tagged

from .common import ADDON, SoftwareKeyCommon
from .test_evidence_pack import EvidencePackMixin

# One life of a key as auditors of three languages read it, and the headings that are
# the same words as in English.
READERS = {
    "de_DE": {
        "trail": """
    Erstellt durch Manager Tester
    Gerät LAPTOP-12345 zugewiesen durch Technician Tester
    Verlängert bis {later} durch Manager Tester (vorher {end})
    Abgelaufen: Gültigkeitsende von {later} auf {past} verschoben durch Manager Tester
    Verlängert bis {last} durch Manager Tester (vorher {past}): Referenz: PO-1
    Widerrufen von Gerät LAPTOP-12345 durch Technician Tester
    Wieder verfügbar gemacht durch Manager Tester: Konsistenz repariert
    Widerrufen durch Manager Tester: Ersetzt durch {replacement} - perdue
        """,
        "finding": "Eintrag Nr. 2 wurde verändert",
        "sheets": "Zusammenfassung Lizenzbilanz Installationen Schlüssel Prüfpfad "
        "Gelöschte.Schlüssel Lücken Integrität",
        "same": {"SHA-256", "Software", "Status"},
        "report": "Softwarelizenzen",
        "verdict": "Nicht unversehrt: 1 von 1 Prüfpfaden",
        "date": "%d.%m.%Y",
    },
    "es_ES": {
        "trail": """
    Creada por Manager Tester
    Aplicada al equipo LAPTOP-12345 por Technician Tester
    Renovada hasta {later} por Manager Tester (antes: {end})
    Caducada: fin de validez cambiado de {later} a {past} por Manager Tester
    Renovada hasta {last} por Manager Tester (antes: {past}): Referencia: PO-1
    Revocada del equipo LAPTOP-12345 por Technician Tester
    Restablecida por Manager Tester: Coherencia reparada
    Revocada por Manager Tester: Sustituida por {replacement} - perdue
        """,
        "finding": "se modificó la entrada n.º 2",
        "sheets": "Resumen Posición.de.licencias Instalaciones Claves Pista "
        "Claves.eliminadas Discrepancias Integridad",
        "same": {"SHA-256", "Software"},
        "report": "Licencias de software",
        "verdict": "No íntegras: 1 de 1 pistas",
        "date": "%d/%m/%Y",
    },
    "fr_FR": {
        "trail": """
    Créée par Manager Tester
    Appliquée à l'équipement LAPTOP-12345 par Technician Tester
    Renouvelée jusqu'au {later} par Manager Tester (auparavant {end})
    Expirée : fin de validité passée de {later} à {past} par Manager Tester
    Renouvelée jusqu'au {last} par Manager Tester (auparavant {past}): Référence : PO-1
    Révoquée de l'équipement LAPTOP-12345 par Technician Tester
    Rétablie par Manager Tester: Cohérence rétablie
    Révoquée par Manager Tester: Remplacée par {replacement} - perdue
        """,
        "finding": "l'entrée n° 2 a été altérée",
        "sheets": "Résumé Position.de.licences Installations Clés Piste.d'audit "
        "Clés.supprimées Écarts Intégrité",
        "same": {"SHA-256", "Action", "Description", "Installations"},
        "report": "Licences logicielles",
        "verdict": "Non intact : 1 pistes d'audit sur 1",
        "date": "%d/%m/%Y",
    },
}


@tagged("post_install", "-at_install")
class TestLanguages(EvidencePackMixin, SoftwareKeyCommon):
    """E3, L2: the trail reads in the reader's language, whoever wrote it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for lang in READERS:
            cls.env["res.lang"]._activate_lang(lang)
        cls.env["ir.module.module"]._load_module_terms(
            ["client_equipment", ADDON], list(READERS)
        )
        manager = cls._speak(cls.manager, "fr_FR")
        technician = cls._speak(cls.technician, "de_DE")
        cls.key = cls._enter_subscriptions("LANGUAGE-00001", user=manager)
        cls.key = cls.key.with_env(manager.env)
        cls.dates = {
            "end": cls.key.validity_end,
            "later": cls._in_days(60),
            "past": cls._in_days(-1),
            "last": cls._in_days(90),
        }
        feature = cls._apply(cls.key, user=technician)
        cls.key.validity_end = cls.dates["later"]
        cls.key.validity_end = cls.dates["past"]
        cls.key.renew(cls.dates["last"], reference="PO-1")
        feature.with_env(technician.env).unlink()
        cls._sql("client_equipment_software_key SET status = 'applied' WHERE id = %s")
        cls.key.action_repair()
        cls.key.replace("LANGUAGE-00002", note="perdue")

    @classmethod
    def _speak(cls, user, lang):
        """Give the user a language, and return him with what his browser sends."""
        user.lang = lang
        user = user.with_user(user)
        return user.with_context(**user.context_get())

    @classmethod
    def _sql(cls, change):
        cls.env.flush_all()
        cls.env.cr.execute("UPDATE " + change, [cls.key.id])
        cls.env.invalidate_all()

    def _read(self, lang):
        """Return the key as an auditor of this language has it before him."""
        return self.key.with_env(self._speak(self.auditor, lang).env)

    def _make_pack(self, key):
        """Return the pack of the key's reader: the names of its sheets, the words of
        all its headings in XLSX and report, and the report."""
        pack = self._make(context=key.env.context, equipment_ids=self.laptop.ids)
        workbook = openpyxl.load_workbook(io.BytesIO(self._file(pack)))
        summary, *sheets = workbook
        report = html.fromstring(self._report(pack))
        headings = {
            *workbook.sheetnames,
            *(cell.value for cell in summary["A"]),
            *(cell.value for sheet in sheets for cell in sheet[1]),
            *(cell.text for cell in report.iter("th", "h2")),
        }
        return workbook.sheetnames, headings, report

    def test_descriptions(self):
        """L2: every step in the reader's words, those by people of two other languages
        and the system's own reasons too; names and notes as they are, dates as the
        reader writes them."""
        replacement = self.key.replaced_by_id.license_key_hint
        for lang, words in READERS.items():
            expected = words["trail"].format(
                replacement=replacement,
                **{
                    name: day.strftime(words["date"])
                    for name, day in self.dates.items()
                },
            )
            entries = self._read(lang).audit_log_ids.sorted("number")
            for field_name in ("description", "display_name"):
                with self.subTest(lang=lang, field=field_name):
                    self.assertEqual(
                        [
                            # French has a narrow blank before the colon.
                            text.replace("\u202f", " ").replace("\xa0", " ")
                            for text in entries.mapped(field_name)
                        ],
                        [line.strip() for line in expected.strip().splitlines()],
                    )

    def test_hashes(self):
        """L5: what is hashed has no language: a trail that people of two languages
        wrote is intact for readers of all, and holds the system's reasons as codes."""
        for lang in READERS:
            self.assertEqual(self._read(lang).verify_audit_trail(), [])
        self.assertEqual(
            [
                (entry.reason_code, entry.reason_data, entry.reason)
                for entry in self.key.audit_log_ids.sorted("number")
                if entry.reason_code
            ],
            [
                ("reference", "PO-1", False),
                ("repaired", False, False),
                ("replaced", self.key.replaced_by_id.license_key_hint, "perdue"),
            ],
        )

    def test_findings_and_evidence_pack(self):
        """L5, L7: findings, every heading of the XLSX, and the report."""
        self._sql(
            "client_equipment_audit_log SET user_name = 'X'"
            " WHERE software_key_id = %s AND number = 2"
        )
        _names, english, _report = self._make_pack(self._read("en_US"))
        for lang, words in READERS.items():
            with self.subTest(lang=lang):
                key = self._read(lang)
                (finding,) = key.verify_audit_trail()
                self.assertIn(words["finding"], finding["problem"])
                names, headings, report = self._make_pack(key)
                self.assertEqual(
                    names, [name.replace(".", " ") for name in words["sheets"].split()]
                )
                self.assertEqual(headings & english, words["same"])
                self.assertEqual(report.findtext(".//h2"), words["report"])
                text = report.text_content().replace("\xa0", " ")
                self.assertIn(words["verdict"], text)
                self.assertIn(self.today.strftime(words["date"]), text)
