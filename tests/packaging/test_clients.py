"""Tests the client configurations of the web page and docs/clients.md: each parses in its format."""

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
    """Returns every text in a document, including field names."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from [str(key), *texts(item)]
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    else:
        yield str(value)


class Clients(unittest.TestCase):
    def test_configurations_parse_and_contain_the_endpoint(self):
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

    def test_only_header_configurations_contain_the_header(self):
        for client in CLIENTS:
            for form, values in FORMS.items():
                with self.subTest(client=client["id"], form=form):
                    for block, text in blocks(client, "header", form):
                        named = values["header"] in text or "bearer_token_env_var" in text
                        self.assertTrue(named, text)
                    for _, text in blocks(client, "plain", form):
                        self.assertNotIn(values["header"], text.replace("Authorization:", ""))

    def test_clients_have_unique_ids_and_names(self):
        for field in ("id", "name"):
            values = [client[field] for client in CLIENTS]
            self.assertEqual(len(values), len(set(values)))


if __name__ == "__main__":
    unittest.main()
