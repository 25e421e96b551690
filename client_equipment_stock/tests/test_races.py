# Other connections see only what is committed.
# pylint: disable=invalid-commit
import time
from concurrent.futures import ThreadPoolExecutor

from odoo import SUPERUSER_ID, api
from odoo.exceptions import ValidationError
from odoo.modules.registry import DummyRLock, Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger

from .common import DeliveryMixin

# What the tests leave behind, each after what hangs on it.
TABLES = (
    "client_equipment",
    "stock_move_line",
    "stock_move",
    "stock_picking",
    "stock_quant",
    "stock_lot",
)


@tagged("post_install", "-at_install")
class TestRaces(DeliveryMixin, BaseCase):
    """G1, E5: two at the same moment, each on a connection of its own.

    What they need is committed, and deleted at the end.
    """

    @classmethod
    def setUpClass(cls):
        super(DeliveryMixin, cls).setUpClass()
        # Odoo's own runner holds this lock: no other connection would get on.
        cls.classPatch(Registry, "_lock", DummyRLock())
        cls.registry = Registry(get_db_name())
        cls.cr = cls.registry.cursor()
        cls.addClassCleanup(cls.cr.close)
        cls.env = api.Environment(cls.cr, SUPERUSER_ID, {})
        cls.before = {table: cls._last(table) for table in TABLES}
        cls._set_up_deliveries()
        cls.cr.commit()
        cls.addClassCleanup(cls._delete_all)

    @classmethod
    def _get_company(cls):
        return cls.env.company  # a new one would bring too much that never goes again

    @classmethod
    def _last(cls, table):
        cls.cr.execute(f"SELECT COALESCE(max(id), 0) FROM {table}")
        return cls.cr.fetchone()[0]

    @classmethod
    def _delete_all(cls):
        cls.cr.rollback()
        for table, last in cls.before.items():
            cls.cr.execute(f"DELETE FROM {table} WHERE id > {last}")
        cls.env.invalidate_all()
        users = cls.warehouse_user + cls.technician
        partners = users.partner_id + cls.branch + cls.customer + cls.other_customer
        for records in (cls.laptop, users, partners):
            records.unlink()
        cls.cr.commit()

    def _at_once(self, first, second):
        """Let ``second`` begin before ``first`` has been committed, and wait for it.

        :param first, second: functions of an environment
        """

        def do_second():
            with self.registry.cursor() as cr:
                env = api.Environment(cr, self.warehouse_user.id, {})
                return retrying(lambda: second(env), env)

        with ThreadPoolExecutor(1) as pool:
            with self.registry.cursor() as cr:
                first(api.Environment(cr, self.warehouse_user.id, {}))
                cr.flush()
                waiting = pool.submit(do_second)
                self._wait_until_it_waits(waiting)
            try:
                return waiting.result(30)
            finally:
                self.cr.rollback()
                self.env.invalidate_all()

    def _wait_until_it_waits(self, waiting):
        """Wait until what was begun waits for us in the database."""
        locked = (
            "SELECT FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        end = time.monotonic() + 60
        is_locked = False
        while not is_locked:
            self.assertFalse(waiting.done())
            self.assertLess(time.monotonic(), end, "it does not wait")
            time.sleep(0.01)
            with self.registry.cursor() as cr:
                cr.execute(locked)
                is_locked = cr.rowcount

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_one_unit_twice(self):
        """G1: of two deliveries of one unit one is refused, and it is one equipment."""
        lots = self._stock("RA-1")
        first = self._prepare(lots)
        second = self._prepare(lots, self.other_customer)
        self.cr.commit()

        def delivery(picking):
            return lambda env: picking.with_env(env)._action_done()

        with self.assertRaisesRegex(ValidationError, "already been assigned"):
            self._at_once(delivery(first), delivery(second))
        self.assertRecordValues(
            self._units(lots), [{"partner_id": self.customer.id, "lot_id": lots.id}]
        )

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_whoever_is_second_looks_again(self):
        """G1: a unit that another transfer enters at this moment is found, not entered
        again."""
        lots = self._stock("RA-2")
        lines = self._deliver(lots).move_line_ids
        self._units(lots).unlink()
        self.cr.commit()

        def entry(env):
            lines.with_env(env)._note_client_equipment()

        self._at_once(entry, entry)
        self.assertEqual(len(self._units(lots)), 1)
