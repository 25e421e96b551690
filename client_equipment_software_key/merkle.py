"""The Merkle tree of RFC 9162 (section 2.1) over a list that only grows.

Plain Python without Odoo, to be read, tested and documented alone. A leaf's data are
bytes; a hash is a SHA-256. Two things can be shown to somebody who has kept nothing but
the size of the list and its root: that an entry is in it (*inclusion*), and that a
longer list begins with all of it (*consistency*).

>>> tree = Tree()
>>> for leaf in (b"a", b"b", b"c"):
...     tree.append(leaf)
>>> tree.root().hex()[:16]
'36642e73c2540ab1'
>>> proof = inclusion_proof((b"a", b"b", b"c"), 2)
>>> is_included(2, 3, b"c", proof, tree.root())
True
>>> is_included(1, 3, b"c", proof, tree.root())
False
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from hashlib import sha256
from os import SEEK_END
from tempfile import TemporaryFile
from typing import IO, Final, NamedTuple

HASH_SIZE: Final = sha256().digest_size


class Span(NamedTuple):
    """The leaves from ``start`` up to, not including, ``end``: those under one node.

    It is what the RFC writes ``D[start:end]``, and its hash ``MTH(D[start:end])``.
    """

    start: int
    end: int


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a list of this one leaf."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of what the two cover together."""
    return sha256(b"\1" + left + right).digest()


class Tree:
    """A growing tree of which only the frontier is kept: the hashes of its full
    subtrees, the largest first. There are as many as the size has ones in binary.

    >>> tree = Tree()
    >>> for number in range(1000):
    ...     tree.append(bytes([number % 256]))
    >>> tree.size, len(tree.frontier)
    (1000, 6)
    >>> again = Tree(tree.size, tree.frontier)
    >>> again.append(b"next"), tree.append(b"next")
    (None, None)
    >>> again.root() == tree.root()
    True
    """

    def __init__(self, size: int = 0, frontier: Iterable[bytes] = ()) -> None:
        self.size = size
        self.frontier = list(frontier)
        if len(self.frontier) != size.bit_count():
            raise ValueError("a frontier of another size")

    def append(self, leaf: bytes) -> None:
        """Add a leaf at the end."""
        node, subtrees = leaf_hash(leaf), self.size
        self._note(Span(self.size, self.size + 1), node)
        width = 1
        while subtrees & 1:
            node = node_hash(self.frontier.pop(), node)
            subtrees >>= 1
            width *= 2
            self._note(Span(self.size + 1 - width, self.size + 1), node)
        self.frontier.append(node)
        self.size += 1

    def _note(self, span: Span, node: bytes) -> None:
        """Take notice of a full subtree. For those that keep more than the frontier."""

    def root(self) -> bytes:
        """Return the root of what has been added so far."""
        return _join(self.frontier) if self.frontier else sha256().digest()


class Prover(Tree):
    """A tree that keeps the hashes of all its full subtrees, and so can prove whatever
    is asked: in temporary files, one for each height, so memory does not grow with it.

    >>> prover = Prover()
    >>> for leaf in (b"a", b"b", b"c"):
    ...     prover.append(leaf)
    >>> prover.proof(inclusion(0, 3)) == inclusion_proof((b"a", b"b", b"c"), 0)
    True
    """

    def __init__(self) -> None:
        super().__init__()
        self._levels: list[IO[bytes]] = []
        self._joined: dict[Span, bytes] = {}

    def _note(self, span: Span, node: bytes) -> None:
        level = _height(span)
        if level == len(self._levels):
            self._levels.append(TemporaryFile(buffering=0))
        self._levels[level].write(node)

    def proof(self, spans: Iterable[Span]) -> list[bytes]:
        """Return the hashes of these nodes, of what has been added so far."""
        proof = [self._hash(span) for span in spans]
        for file in self._levels:
            file.seek(0, SEEK_END)  # where the next one is added
        return proof

    def _hash(self, span: Span) -> bytes:
        parts = _full_subtrees(span)
        if len(parts) == 1:
            return self._read(span)
        # At the right edge: a handful, which nearly every proof consists of.
        if span not in self._joined:
            self._joined[span] = _join([self._read(part) for part in parts])
        return self._joined[span]

    def _read(self, span: Span) -> bytes:
        level = _height(span)
        file = self._levels[level]
        file.seek((span.start >> level) * HASH_SIZE)
        return file.read(HASH_SIZE)


# ----------------------------------------------------------------------
# Which nodes prove what
# ----------------------------------------------------------------------


def inclusion(index: int, size: int) -> list[Span]:
    """Return the nodes that prove where a leaf is (section 2.1.3.1), the lowest first.

    >>> inclusion(0, 1), inclusion(2, 3)
    ([], [Span(start=0, end=2)])
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a list of {size}")
    return _path(index, Span(0, size))


def _path(index: int, span: Span) -> list[Span]:
    if span.end - span.start == 1:
        return []
    left, right = _halves(span)
    if index < right.start:
        return [*_path(index, left), right]
    return [*_path(index, right), left]


def consistency(first: int, second: int) -> list[Span]:
    """Return the nodes that prove that a list of the ``second`` size begins with one
    of the ``first`` size (section 2.1.4.1), the lowest first.

    >>> consistency(2, 3), consistency(3, 3), consistency(0, 3)
    ([Span(start=2, end=3)], [], [])
    """
    if not 0 <= first <= second:
        raise ValueError(f"a list of {second} does not begin with one of {first}")
    return _seam(first, Span(0, second), True) if first else []


def _seam(first: int, span: Span, known: bool) -> list[Span]:
    """The RFC's SUBPROOF; ``known``: whether ``span`` is all of the first list."""
    if first == span.end:
        return [] if known else [span]
    left, right = _halves(span)
    if first <= right.start:
        return [*_seam(first, left, known), right]
    return [*_seam(first, right, False), left]


def _halves(span: Span) -> tuple[Span, Span]:
    """Return what the two children of a node cover: the left one is a full subtree."""
    middle = span.start + (1 << (span.end - span.start - 1).bit_length() - 1)
    return Span(span.start, middle), Span(middle, span.end)


def _height(span: Span) -> int:
    """Return how many nodes there are below that of a full subtree, down to a leaf."""
    return (span.end - span.start).bit_length() - 1


def _full_subtrees(span: Span) -> list[Span]:
    """Return the full subtrees that a node consists of, the largest first."""
    parts, start = [], span.start
    while start < span.end:
        width = 1 << (span.end - start).bit_length() - 1
        parts.append(Span(start, start + width))
        start += width
    return parts


def _join(nodes: Sequence[bytes]) -> bytes:
    """Return the hash over full subtrees that lie beside each other."""
    return reduce(lambda right, left: node_hash(left, right), reversed(nodes))


# ----------------------------------------------------------------------
# Proofs of lists that are at hand
# ----------------------------------------------------------------------


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the root of a list.

    >>> root([]).hex()[:16]
    'e3b0c44298fc1c14'
    """
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the proof that the leaf of that index is in the list."""
    return _prove(leaves, inclusion(index, len(leaves)))


def consistency_proof(leaves: Sequence[bytes], first: int) -> list[bytes]:
    """Return the proof that the list begins with its first leaves, so many."""
    return _prove(leaves, consistency(first, len(leaves)))


def _prove(leaves: Iterable[bytes], spans: list[Span]) -> list[bytes]:
    prover = Prover()
    for leaf in leaves:
        prover.append(leaf)
    return prover.proof(spans)


# ----------------------------------------------------------------------
# Verification
# ----------------------------------------------------------------------


def is_included(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> bool:
    """Tell whether a proof shows the leaf in the list of that root (2.1.3.2)."""
    if not 0 <= index < size:
        return False
    first, last, node = index, size - 1, leaf_hash(leaf)
    for sibling in proof:
        if not last:
            return False
        if first & 1 or first == last:
            node = node_hash(sibling, node)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        first, last = first >> 1, last >> 1
    return not last and node == root


def is_consistent(
    first: int, second: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Tell whether a proof shows that the list of the new root, of the ``second`` size,
    begins with all of the old one, of the ``first`` size (2.1.4.2).

    >>> leaves = [b"a", b"b", b"c"]
    >>> proof = consistency_proof(leaves, 2)
    >>> is_consistent(2, 3, proof, root(leaves[:2]), root(leaves))
    True
    >>> is_consistent(2, 3, proof, root([b"a", b"x"]), root(leaves))
    False
    """
    if not 0 <= first <= second:
        return False
    if first == second:
        return not proof and old_root == new_root
    if not first:  # any list begins with none
        return not proof and old_root == root(())
    nodes = list(proof)
    if not first & (first - 1):
        nodes.insert(0, old_root)
    if not nodes:
        return False
    index, last = first - 1, second - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    old = new = nodes[0]
    for node in nodes[1:]:
        if not last:
            return False
        if index & 1 or index == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            new = node_hash(new, node)
        index, last = index >> 1, last >> 1
    return not last and old == old_root and new == new_root
