"""Renders the chart with Helm."""

import contextlib
import os
import re
from pathlib import Path

import helm_python
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/octopus-mcp"
RELEASE = "octopus-mcp"


def values(name):
    """Returns the values of ci/NAME-values.yaml."""
    return yaml.safe_load((CHART / f"ci/{name}-values.yaml").read_text())


def with_values(base, **changes):
    """Returns a copy of the values with changes. Nested tables are merged."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = with_values(merged[key], **value) if both else value
    return merged


def render(given, chart=CHART):
    """Returns the text of each template by file name. Raises `HelmError` for invalid values."""
    with helm_python.Chart.load(chart) as loaded:
        loaded.validate_schema(given)
        files = loaded.render(given, name=RELEASE, namespace=RELEASE)
    # Removes trailing spaces, which blank lines of a settings file get.
    return {Path(path).name: re.sub(r"[ \t]+$", "", text, flags=re.M) for path, text in files.items()}


def documents(given, chart=CHART):
    """Returns every document that is rendered from these values."""
    files = {name: text for name, text in render(given, chart).items() if name.endswith(".yaml")}
    return [found for text in files.values() for found in yaml.safe_load_all(text) if found]


def only(found, kind, name=RELEASE):
    """Returns the only document with this kind and name."""
    [one] = [d for d in found if d["kind"] == kind and d["metadata"]["name"] == name]
    return one


@contextlib.contextmanager
def quiet():
    """Discards what Helm's library writes to standard error."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
