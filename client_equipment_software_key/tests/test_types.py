import ast
from pathlib import Path

from odoo.modules import Manifest
from odoo.tests import TransactionCase, tagged

from odoo.addons.client_equipment.values import is_our_module

# What knows nothing of Odoo: anybody can read, test and use it alone.
PLAIN = {
    "lifecycle.py",
    "license_key.py",
    "merkle.py",
    "text.py",
    "vendor_file.py",
    "verify_evidence.py",
    "xlsx_file.py",
}


@tagged("post_install", "-at_install")
class TestTypes(TransactionCase):
    """A signature tells whoever builds on these addons what goes in and comes out."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        addons = filter(is_our_module, cls.registry._init_modules)
        cls.modules = {
            path: ast.parse(path.read_text())
            for addon in addons
            for path in Path(Manifest.for_addon(addon).path).rglob("*.py")
            if "tests" not in path.parts
        }

    def test_signatures(self):
        """Every argument and result of what is public has its type; in modules that
        know nothing of Odoo, of all functions."""
        untyped, count = [], 0
        for path, tree in self.modules.items():
            is_plain = _is_plain(tree)
            for function, arguments in self._functions(tree):
                if is_plain or not function.name.startswith("_"):
                    count += 1
                    if not function.returns or not all(a.annotation for a in arguments):
                        untyped.append(f"{path}:{function.lineno} {function.name}")
        self.assertGreater(count, 300)
        self.assertFalse(untyped)

    def test_plain(self):
        """What is said to be plain Python stays so."""
        plain = {path.name for path, tree in self.modules.items() if _is_plain(tree)}
        self.assertLessEqual(PLAIN, plain)

    def _functions(self, tree):
        """Yield each function with its arguments but ``self``; what is defined within
        another is nobody else's."""
        for parent in ast.walk(tree):
            if not isinstance(parent, ast.Module | ast.ClassDef):
                continue
            for function in parent.body:
                if isinstance(function, ast.FunctionDef):
                    own = function.args
                    named = own.posonlyargs + own.args
                    more = [*own.kwonlyargs, *filter(None, (own.vararg, own.kwarg))]
                    is_method = isinstance(parent, ast.ClassDef) and not any(
                        ast.unparse(decorator) == "staticmethod"
                        for decorator in function.decorator_list
                    )
                    yield function, named[is_method:] + more


def _is_plain(tree):
    """Tell whether a module imports nothing of Odoo, but for others of our addons."""
    imported = [
        name
        for node in ast.walk(tree)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in getattr(node, "names", ())]
            if isinstance(node, ast.Import)
            else ()
        )
    ]
    return not any(
        name.startswith("odoo") and not is_our_module(name.rpartition("addons.")[2])
        for name in imported
    )
