from odoo.exceptions import ConcurrencyError, UserError


class ChangedMeanwhile(UserError, ConcurrencyError):
    """Somebody else has just changed what a step needs, and has committed it.

    PostgreSQL lets nobody act upon the old view that this transaction has of it. As a
    ConcurrencyError it makes Odoo run the call again, in a fresh transaction (a request
    of the web client or of ``/json/2`` at once, see ``ir.http``). Whoever catches it
    instead has words for a person.
    """


class RowRefused(Exception):
    """One of many rows of an import is refused."""
