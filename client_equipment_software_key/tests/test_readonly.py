import inspect

import psycopg2

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SoftwareKeyCommon

OURS = "odoo.addons.client_equipment"
# It looks whether the user has just had the license key shown: as fresh as that.
FRESH = {"get_qr_code"}


def is_readonly(model_class, name):
    """Tell whether Odoo lets a replica answer the method, as its controllers do."""
    methods = (getattr(each, name, None) for each in model_class.mro())
    return next((m._readonly for m in methods if hasattr(m, "_readonly")), False)


def only_reads(method):
    """Call a method where nothing can be written.

    :return: True; False where it wanted to write, None where it did not come so far
    """
    parameters = inspect.signature(method).parameters.values()
    cr = method.__self__.env.cr
    with cr.savepoint() as savepoint:
        cr.execute("SET LOCAL transaction_read_only = on")
        try:
            method(*("READ" for each in parameters if each.default is each.empty))
            cr.flush()
            return True
        except psycopg2.errors.ReadOnlySqlTransaction:
            return False
        except Exception:  # what it was called with will not do
            return None
        finally:
            cr.clear()
            savepoint.rollback()


@tagged("post_install", "-at_install")
class TestReadonly(SoftwareKeyCommon):
    """E5: what only reads can be left to a replica, a step never is."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        key = cls._enter("READ-1")
        cls._apply(key)
        cls._enter("READ-2").delete("Entered twice")
        cls._give_rights_of_apps(cls.manager)
        cls._make_records_of_apps()
        cls.env.flush_all()
        cls.env.cr.execute(  # for the checks to find, and to note
            "UPDATE client_equipment_software_key SET seats = 2 WHERE id = %s", [key.id]
        )
        cls.env.invalidate_all()

    def _own_methods(self):
        """Yield model and name of each public method of ours, but the buttons that
        begin a step: what these look at has to be as fresh as the step."""
        for model in self.env.values():
            ours, theirs = set(), set()
            for each in type(model).mro():
                (ours if each.__module__.startswith(OURS) else theirs).update(
                    name for name, value in vars(each).items() if callable(value)
                )
            for name in sorted(ours - FRESH):
                step = name.startswith("action_") and "_view_" not in name
                readonly = is_readonly(type(model), name)
                private = getattr(getattr(model, name), "_api_private", False)
                if (
                    readonly
                    or name not in theirs
                    and name[0] != "_"
                    and not (private or step)
                ):
                    yield model, name

    @mute_logger("odoo.sql_db")
    def test_every_method(self):
        """E5: whatever of ours only reads is read-only; what is read-only writes
        nothing, Odoo's own that ours extend included."""
        judged = {True: set(), False: set()}
        for model, name in self._own_methods():
            records = model if model._abstract else model.search([], limit=1)
            reads = only_reads(getattr(records.with_user(self.manager), name))
            if reads is not None:
                judged[reads].add(name)
                with self.subTest(model=model._name, method=name):
                    self.assertEqual(is_readonly(type(model), name), reads)
        self.assertLess({"get_overview", "name_search"}, judged[True])
        self.assertLess({"revoke", "verify_next_audit_trails"}, judged[False])
