"""How scheduled actions work: a file of its own, because every job of ours does so."""

import logging

import psycopg2

from odoo import api, models

_logger = logging.getLogger(__name__)

# So often a portion is taken anew because somebody was faster.
TRIES = 20


class ClientEquipmentMixin(models.AbstractModel):
    """What a job does, it does in portions, each in a transaction of its own.

    So a job that is killed loses and repeats nothing, people wait for a portion at
    most, and whoever calls a job from within his own transaction finds that untouched:
    nothing of it has been committed or rolled back.
    """

    _inherit = "client.equipment.mixin"

    @api.model
    def _in_own_transaction(self, method, *args):
        """Call the method in a transaction of its own, and commit that; anew, with a
        fresh view, where somebody was faster.

        :param str method: the name of a method of this model
        :param args: what it is called with; no records, they belong to their cursor
        :return: what the method returns: no records, either
        """
        for tries_left in reversed(range(TRIES)):
            try:
                with self.env.registry.cursor() as cr:
                    return getattr(self.with_env(self.env(cr=cr)), method)(*args)
            except (
                psycopg2.errors.SerializationFailure,
                psycopg2.errors.DeadlockDetected,
            ):
                if not tries_left:
                    raise
                _logger.info("%s.%s: changed meanwhile, anew", self._name, method)

    @api.model
    def _tell_progress(self, done=0, remaining=None):
        """Tell Odoo's scheduler how far the job is.

        :param int done: what has just been done
        :param int remaining: what is left to do, where that is known
        :return: the seconds that are left for the job, without a limit where it was
            not the scheduler that called it
        """
        if not self.env.context.get("ir_cron_progress_id"):
            return float("inf")
        return self.env["ir.cron"]._commit_progress(done, remaining=remaining)
