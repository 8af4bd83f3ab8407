"""The expected results, and their comparison with actual results."""

import json
from pathlib import Path

EXPECTED = json.loads((Path(__file__).parent / "expectations.json").read_text())


def mismatch(actual, wanted, at="$"):
    """Returns why `actual` does not match `wanted`, or None.

    Objects must have the wanted keys, lists must contain each wanted element, strings must contain
    `$contains`, and other values must be equal.
    """
    if isinstance(wanted, list):
        if not isinstance(actual, list):
            return f"{at}: {show(actual)} is not a list"
        for one in wanted:
            if all(mismatch(element, one) for element in actual):
                return f"{at}: nothing like {show(one)} in {show(actual)}"
        return None
    if not isinstance(wanted, dict):
        same = type(actual) is type(wanted) and actual == wanted
        return None if same else f"{at}: {show(actual)} is not {show(wanted)}"
    if "$contains" in wanted:
        found = isinstance(actual, str) and wanted["$contains"] in actual
        return None if found else f"{at}: {show(actual)} does not contain {wanted['$contains']!r}"
    if not isinstance(actual, dict):
        return f"{at}: {show(actual)} is not an object"
    problems = (mismatch(actual.get(key), value, f"{at}.{key}") for key, value in wanted.items())
    return next(filter(None, problems), None)


def show(value):
    text = json.dumps(value)
    return text if len(text) <= 400 else f"{text[:400]}..."


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


def expect_match(actual, wanted, what):
    problem = mismatch(actual, wanted)
    expect(problem is None, f"{what}: {problem}")
