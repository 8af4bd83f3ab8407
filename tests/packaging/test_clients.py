"""The configurations that the page and docs/clients.md give: each is what its client reads."""

import json
import pathlib
import re
import subprocess
import tomllib
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENTS = json.loads((ROOT / "src/http/page/clients.json").read_text())
URL = "https://mcp.example.com/mcp"
FORMS = {
    "key": {"header": "X-Octopus-ApiKey", "scheme": "", "variable": "OCTOPUS_API_KEY", "secret": "API-YOURKEY"},
    "token": {"header": "Authorization", "scheme": "Bearer ", "variable": "OCTOPUS_MCP_TOKEN", "secret": "YOUR-TOKEN"},
}
PARSERS = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load}


def filled(text, form):
    values = {"url": URL, **FORMS[form]}
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], text)


def blocks(client, kind, form):
    for block in client[kind]:
        if block.get("for", form) == form:
            yield block, filled("\n".join(block.get("lines") or block["steps"]), form)


def texts(value):
    """Every text in a document, names of fields too."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from [str(key), *texts(item)]
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    else:
        yield str(value)


class Clients(unittest.TestCase):
    def test_every_configuration_parses_and_names_the_endpoint(self):
        parsed = 0
        for client in CLIENTS:
            for kind in ("plain", "header"):
                for form in FORMS:
                    found = list(blocks(client, kind, form))
                    self.assertTrue(found, f"{client['id']}: {kind}, {form}")
                    for block, text in found:
                        with self.subTest(client=client["id"], kind=kind, form=form, where=block.get("where")):
                            self.assertIn(URL, text)
                            self.assertNotIn("{{", text)
                            if language := block.get("language"):
                                parsed += self.parse(language, text)
        self.assertGreater(parsed, 30)

    def parse(self, language, text):
        if language == "sh":
            subprocess.run(["bash", "-n"], input=text, text=True, check=True)
            return 0
        self.assertIn(URL, list(texts(PARSERS[language](text))))
        return 1

    def test_a_form_with_a_header_names_it_and_the_other_does_not(self):
        for client in CLIENTS:
            for form, values in FORMS.items():
                with self.subTest(client=client["id"], form=form):
                    for block, text in blocks(client, "header", form):
                        named = values["header"] in text or "bearer_token_env_var" in text
                        self.assertTrue(named, text)
                    for _, text in blocks(client, "plain", form):
                        self.assertNotIn(values["header"], text.replace("Authorization:", ""))

    def test_no_two_clients_are_one(self):
        for field in ("id", "name"):
            values = [client[field] for client in CLIENTS]
            self.assertEqual(len(values), len(set(values)))


if __name__ == "__main__":
    unittest.main()
