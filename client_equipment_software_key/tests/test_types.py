import ast
from pathlib import Path

from odoo.modules import Manifest
from odoo.tests import TransactionCase, tagged

from odoo.addons.client_equipment.values import is_our_module


@tagged("post_install", "-at_install")
class TestTypes(TransactionCase):
    """A signature tells whoever builds on these addons what goes in and comes out."""

    def test_signatures(self):
        """Every argument and result of what is public has its type; in modules that
        know nothing of Odoo, of all functions."""
        addons = filter(is_our_module, self.registry._init_modules)
        functions = [
            found
            for addon in addons
            for path in Path(Manifest.for_addon(addon).path).rglob("*.py")
            if "tests" not in path.parts
            for found in self._functions(path)
        ]
        self.assertGreater(len(functions), 300)
        self.assertFalse(
            [
                f"{path}:{function.lineno} {function.name}"
                for path, function, arguments in functions
                if function.returns is None or not all(a.annotation for a in arguments)
            ]
        )

    def _functions(self, path):
        """Yield each ``(path, function, its arguments)`` that has to be typed."""
        tree = ast.parse(path.read_text())
        is_plain = not any(
            name.startswith("odoo") and not is_our_module(name.rpartition("addons.")[2])
            for node in ast.walk(tree)
            for name in self._imported(node)
        )
        for parent in ast.walk(tree):
            if not isinstance(parent, ast.Module | ast.ClassDef):
                continue  # what is within a function is nobody else's
            for function in parent.body:
                if not isinstance(function, ast.FunctionDef):
                    continue
                if is_plain or not function.name.startswith("_"):
                    yield path, function, self._arguments(parent, function)

    def _imported(self, node):
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            return [node.module or ""]
        return []

    def _arguments(self, parent, function):
        """Return the arguments of a function but the ``self`` of a method."""
        own = function.args
        named = own.posonlyargs + own.args
        if isinstance(parent, ast.ClassDef) and not any(
            ast.unparse(each) == "staticmethod" for each in function.decorator_list
        ):
            named = named[1:]
        return [
            *named,
            *own.kwonlyargs,
            *filter(None, (own.vararg, own.kwarg)),
        ]
