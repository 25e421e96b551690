"""Who wishes the next key of what, and what there is for him: plain Python."""

from typing import NamedTuple


class Wish(NamedTuple):
    """The next key of a software for an equipment, both by their ids."""

    equipment_id: int
    software_id: int


class Place(NamedTuple):
    """Whose keys may go onto an equipment: equipment of one place are offered alike."""

    company_id: int | None
    owner_ids: tuple[int, ...]


class Candidate(NamedTuple):
    """A key that could be taken, and how many of its seats."""

    key_id: int
    free: int
