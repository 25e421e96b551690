"""Clocks, counters and medians."""

import gc
import re
import statistics
import time
from contextlib import contextmanager
from pathlib import Path


class Sample:
    """What one piece of work took: seconds, queries, MB more than before."""

    seconds = queries = memory = None


def _memory(kind):
    found = re.search(rf"{kind}:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024


@contextmanager
def measured(cr=None):
    """Measure what is done inside; ``cr`` is Odoo's cursor, whose queries count."""
    sample = Sample()
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    memory, queries = _memory("VmRSS"), cr and cr.sql_log_count
    start = time.perf_counter()
    yield sample
    sample.seconds = time.perf_counter() - start
    sample.queries = cr and cr.sql_log_count - queries
    sample.memory = max(_memory("VmHWM") - memory, 0)


class Comparison:
    """Ours against another's, over interleaved repetitions."""

    def __init__(self, work, keys, against):
        self.work, self.keys, self.against = work, keys, against
        self.ours, self.theirs = [], []

    def add(self, ours, theirs):
        self.ours.append(ours)
        self.theirs.append(theirs)

    @property
    def ratios(self):
        """Return our time over the other's, or the other's over ours (see README)."""
        pairs = zip(self.ours, self.theirs, strict=True)
        if self.against in ("sql", "small"):
            return [ours.seconds / theirs.seconds for ours, theirs in pairs]
        return [theirs.seconds / ours.seconds for ours, theirs in pairs]

    def row(self):
        return {
            "work": self.work,
            "keys": self.keys,
            "against": self.against,
            "ratio": round(statistics.median(self.ratios), 3),
            "queries": max(sample.queries for sample in self.ours),
        }

    def line(self):
        """Return the row of the table for people."""
        row, ratios = self.row(), self.ratios
        milliseconds = [
            statistics.median(sample.seconds for sample in samples) * 1000
            for samples in (self.ours, self.theirs)
        ]
        return [
            row["work"],
            f"{row['keys']:,}",
            row["against"],
            f"{row['ratio']:.2f}",
            f"{min(ratios):.2f}–{max(ratios):.2f}",
            str(len(ratios)),
            *(f"{value:,.1f}" for value in milliseconds),
            str(row["queries"]),
            f"{max(sample.memory for sample in self.ours):.0f}",
        ]
