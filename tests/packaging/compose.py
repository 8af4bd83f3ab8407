"""Reads deploy/compose.yaml with its variables replaced."""

import re

import yaml

from chart import ROOT

DEPLOY = ROOT / "deploy"
FILE = DEPLOY / "compose.yaml"
# A name; `:-`, `:?` or `-`; and the default or the error message.
VARIABLE = re.compile(r"\$\{(\w+)(?:(:[-?]|-)([^}]*))?\}")


def example():
    """Returns the variables of compose/env.example."""
    lines = (DEPLOY / "compose/env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"\w+=", line))


def text_with(variables):
    """Returns the text of the file with these variables, which are replaced like Docker does."""

    def fill(match):
        name, kind, rest = match.groups()
        if variables.get(name) or (kind == "-" and name in variables):
            return variables[name]
        if kind == ":?":
            raise KeyError(f"{name}: {rest}")
        return rest or ""

    return VARIABLE.sub(fill, FILE.read_text())


def load(variables):
    """Returns the parsed file with these variables."""
    return yaml.safe_load(text_with(variables))


def variables(service):
    """Returns the environment of a service, as its program receives it."""
    given = service["environment"].items()
    return {k: "" if v is None else str(v).lower() if isinstance(v, bool) else str(v) for k, v in given}
