"""What the commands of a write do to assignments, and when."""

from odoo import Command


def written_steps(vals: dict) -> list[dict]:
    """Return the values of each step that a write on a key or an equipment takes: to
    remove keys from where they are, to change what either is, to apply keys."""
    commands = vals.get("equipment_feature_ids")
    if not commands or len(vals) == 1:
        return [vals]
    removing = [
        command
        for command in commands
        if isinstance(command, list | tuple) and command[0] == Command.DELETE
    ]
    applying = [command for command in commands if command not in removing]
    rest = {name: vals[name] for name in vals if name != "equipment_feature_ids"}
    steps = (
        {"equipment_feature_ids": removing},
        rest,
        {"equipment_feature_ids": applying},
    )
    return [step for step in steps if step.get("equipment_feature_ids", True)]
