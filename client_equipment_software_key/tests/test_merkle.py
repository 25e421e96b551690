import doctest
import runpy
from functools import partial
from pathlib import Path
from unittest import skipUnless

from odoo.tests import BaseCase, tagged

from .. import merkle

try:
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st
except ImportError:  # an Odoo has no hypothesis
    given = None

# The leaves that every implementation is tried on, and the root after each of them.
KNOWN = {
    "": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "00": "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "10": "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "2021": "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "3031": "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "40414243": "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "5051525354555657": (
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"
    ),
    "606162636465666768696a6b6c6d6e6f": (
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    ),
}
LEAVES = [bytes.fromhex(text) for text in KNOWN]
SIZES = range(201)
# One file that needs nothing of ours: so it has the two verifying functions, too.
VERIFIER = Path(merkle.__file__).parent / "static" / "evidence" / "verify_evidence.py"


def some_leaves(size):
    return [number.to_bytes(2, "big") for number in range(size)]


@tagged("post_install", "-at_install")
class TestMerkle(BaseCase):
    """L8: the tree of RFC 9162, section 2.1."""

    def test_offline(self):
        """L9: the program that verifies offline says of each proof what this tree
        says, of right ones and of wrong ones."""
        offline = runpy.run_path(str(VERIFIER))
        roots = [merkle.root(some_leaves(size)) for size in range(41)]
        for size in range(1, 41):
            leaves = some_leaves(size)
            for number in range(size):
                proof = merkle.consistency_proof(leaves, number)
                inclusion = merkle.inclusion_proof(leaves, number)
                for root, right in ((roots[size], True), (roots[size - 1], False)):
                    given_proof = (number, size, proof, roots[number], root)
                    there = (number, size, leaves[number], inclusion, root)
                    for name, arguments in (
                        ("is_consistent", given_proof),
                        ("is_included", there),
                    ):
                        # (of nothing, everything is the continuation)
                        said = right or (name == "is_consistent" and not number)
                        self.assertIs(getattr(merkle, name)(*arguments), said)
                        self.assertIs(offline[name](*arguments), said)

    def test_examples(self):
        """L8: the tree says itself what it does."""
        self.assertEqual(doctest.testmod(merkle).failed, 0)

    def test_known_roots(self):
        """L8: the roots are those that every implementation gives."""
        tree = merkle.Tree()
        self.assertEqual(
            tree.root().hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        )
        for leaf, expected in zip(LEAVES, KNOWN.values(), strict=True):
            tree.append(leaf)
            self.assertEqual(tree.root().hex(), expected)

    def test_shape_of_the_rfc(self):
        """L8: the proofs of the RFC's example, section 2.1.5: seven leaves d0 … d6
        under a … j, then g, h, i, k, l."""
        leaves = LEAVES[:7]
        a, b, c, d, e, f, j = map(merkle.leaf_hash, leaves)
        g, h, i = (merkle.node_hash(*two) for two in ((a, b), (c, d), (e, f)))
        k, last = merkle.node_hash(g, h), merkle.node_hash(i, j)
        for index, proof in ((0, [b, h, last]), (3, [c, g, last]), (4, [f, j, k])):
            self.assertEqual(merkle.inclusion_proof(leaves, index), proof)
        self.assertEqual(merkle.inclusion_proof(leaves, 6), [i, k])
        for size, proof in ((3, [c, d, g, last]), (4, [last]), (6, [i, j, k])):
            self.assertEqual(merkle.consistency_proof(leaves, size), proof)

    def test_every_proof(self):
        """L9: every inclusion and every consistency of up to 200 leaves is proved, and
        the proof shows nothing else."""
        every = some_leaves(SIZES[-1])
        roots = [merkle.root(every[:size]) for size in SIZES]
        for size in SIZES:
            paths = [merkle.inclusion(index, size) for index in range(size)]
            seams = [merkle.consistency(first, size) for first in range(size + 1)]
            prover = merkle.Prover()
            for leaf in every[:size]:
                prover.append(leaf)
            for index, path in enumerate(paths):
                proof = prover.proof(path)
                for leaf in (index, index + 1):
                    self.assertEqual(
                        merkle.is_included(
                            index, size, leaf.to_bytes(2, "big"), proof, roots[size]
                        ),
                        leaf == index,
                    )
            for first, seam in enumerate(seams):
                proof = prover.proof(seam)
                roots_of = partial(merkle.is_consistent, first, size, proof)
                self.assertTrue(roots_of(roots[first], roots[size]))
                if first:  # any list begins with none
                    self.assertFalse(roots_of(roots[first - 1], roots[size]))
                    self.assertFalse(roots_of(roots[first], roots[size - 1]))

    def test_frontier(self):
        """L8: a tree goes on from its frontier, which grows with the logarithm."""
        leaves = some_leaves(200)
        for size in SIZES:
            tree = merkle.Tree()
            for leaf in leaves[:size]:
                tree.append(leaf)
            self.assertEqual(len(tree.frontier), size.bit_count())
            again = merkle.Tree(size, tree.frontier)
            for leaf in leaves[size:]:
                again.append(leaf)
            self.assertEqual(again.root(), merkle.root(leaves))
        with self.assertRaises(ValueError):
            merkle.Tree(3, tree.frontier[:1])

    def test_out_of_range(self):
        """L9: what is not in the list has no proof, and none is believed."""
        for index, size in ((-1, 3), (3, 3), (0, 0)):
            with self.assertRaises(ValueError):
                merkle.inclusion(index, size)
            self.assertFalse(merkle.is_included(index, size, b"", [], merkle.root([])))
        for first, second in ((-1, 3), (4, 3)):
            with self.assertRaises(ValueError):
                merkle.consistency(first, second)
            self.assertFalse(
                merkle.is_consistent(first, second, [], b"", merkle.root([]))
            )


if given:

    @st.composite
    def tampered(draw, proof):
        """Return a proof that differs from this one."""
        proof, others = list(proof), some_leaves(3)
        index = draw(st.integers(0, len(proof)))
        node = merkle.leaf_hash(draw(st.sampled_from(others)))
        match draw(st.sampled_from(("more", "other", "less", "cut"))):
            case "other" if index < len(proof) and proof[index] != node:
                proof[index] = node
            case "less" if index < len(proof):
                del proof[index]
            case "cut" if index < len(proof):
                proof = proof[:index]
            case _:
                proof.insert(index, node)
        return proof


@tagged("post_install", "-at_install")
@skipUnless(given, "hypothesis is not installed")
class TestTamperedProofs(BaseCase):
    def test_tampered(self):
        """L9: a proof of which anything was changed proves nothing."""

        @settings(suppress_health_check=HealthCheck, deadline=None, max_examples=200)
        @given(st.data(), st.integers(1, SIZES[-1]))
        def check(data, size):
            leaves = some_leaves(size)
            root = merkle.root(leaves)
            index = data.draw(st.integers(0, size - 1))
            proof = data.draw(tampered(merkle.inclusion_proof(leaves, index)))
            self.assertFalse(
                merkle.is_included(index, size, leaves[index], proof, root)
            )
            proof = data.draw(tampered(merkle.consistency_proof(leaves, index + 1)))
            old = merkle.root(leaves[: index + 1])
            self.assertFalse(merkle.is_consistent(index + 1, size, proof, old, root))

        check()
