"""The git hooks and ./dev lint are the same programs."""

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def locked():
    """Return what ./dev lint runs, as ``name==version`` or ``name@version``."""
    tools = ROOT / "tools"
    pins = set()
    for lock in ("requirements.lock", "lint.lock"):
        pins |= set(re.findall(r"^(\S+==\S+)", (tools / lock).read_text(), re.M))
    packages = json.loads((tools / "package-lock.json").read_text())["packages"]
    for place, package in packages.items():
        pins.add(f"{place.removeprefix('node_modules/')}@{package.get('version')}")
    return pins


def test_versions():
    """Each hook pins what the locks of ./dev lint pin."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    pinned = {pin for hook in hooks for pin in hook["additional_dependencies"]}
    assert pinned and not pinned - locked()
