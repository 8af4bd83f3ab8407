"""Tests that the server accepts the settings of every package and uses each of them."""

import functools
import json
import os
import re
import subprocess
import tempfile
import tomllib
import unittest
from pathlib import Path

import yaml

from chart import ROOT, documents, only, values
from compose import DEPLOY, load, variables

# Built by `cargo build`. Set by tests/run.
BINARY = os.environ.get("OCTOPUS_MCP_BINARY", str(ROOT / "target/debug/octopus-mcp"))
LEAST = {"OCTOPUS_SERVER_URL": "https://octopus.example.com", "MCP_HOST": "mcp.example.com"}
# Values of secrets.
SECRETS = {
    "OCTOPUS_API_KEY": "API-" + "A" * 30,
    "OCTOPUS_MCP_TOOLS__SEAL_KEY": "k" * 32,
    "OCTOPUS_MCP_LIMITS__STORE": "redis://127.0.0.1:6379/0",
}


@functools.cache
def certificate():
    """Returns a certificate and its key in PEM format."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=octopus-mcp",
                   "-addext", "subjectAltName=DNS:octopus-mcp", "-keyout", "key", "-out", "crt"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
        return tuple((Path(folder) / name).read_text() for name in ("crt", "key"))


def content(name):
    """Returns valid content of a mounted file with this name."""
    if name.endswith((".crt", ".key")):
        return certificate()[name.endswith(".key")]
    return "eyJhbGciOiJub25lIn0.e30." if "token" in name else "API-" + "A" * 30


def ask(environment, toml=None):
    """Returns the output of `octopus-mcp config` for these settings, in a clean environment."""
    with tempfile.TemporaryDirectory() as folder:
        # Mounted files and the folder of the audit file, at their paths on the platform.
        at, state = str(Path(folder) / "run") + "/", Path(folder) / "state"
        state.mkdir()

        def here(text):
            return text.replace("/run/", at).replace("/var/lib/octopus-mcp", str(state))

        environment = {k: here(v) for k, v in environment.items()}
        command = [BINARY, "config"]
        if toml is not None:
            toml = here(toml)
            path = Path(folder) / "config.toml"
            path.write_text(toml)
            command += ["--config", str(path)]
        for file in re.findall(re.escape(at) + r"[\w./-]+", toml or "") + [
            v for k, v in environment.items() if v.startswith(at)
        ]:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).write_text(content(Path(file).name))
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise AssertionError(f"{done.stderr}{done.stdout}")
    return done.stdout.replace(str(state), "/var/lib/octopus-mcp")


class Settings(unittest.TestCase):
    def taken(self, environment, toml=None):
        """Asserts that every variable sets a setting, without errors. Returns the output."""
        ours = {k: v for k, v in environment.items() if k.startswith("OCTOPUS") and v}
        said = ask(ours, toml)
        for name in ours:
            self.assertRegex(said, rf"# environment variable {name}\n", name)
        return said

    def pods(self, case):
        found = documents(values(case))
        [one] = only(found, "Deployment")["spec"]["template"]["spec"]["containers"]
        environment = {e["name"]: e.get("value") or SECRETS.get(e["name"], "x") for e in one["env"]}
        return environment, only(found, "ConfigMap")["data"]["config.toml"]

    def check(self, environment, toml):
        """Asserts that a package writes audit records, and that replicas can share its changes. Returns the output."""
        said = self.taken(environment, toml)
        self.assertRegex(said, r"(?m)^audit\.(stdout = true|file\.path = \"|otlp\.endpoint = \")", said)
        if "\ntools.read_only = false " in said:
            self.assertIn("\naudit.required = true ", said)
        return said

    def test_invalid_settings_stop_the_check_of_a_pod(self):
        environment, toml = self.pods("plain")
        [check] = only(documents(values("plain")), "Deployment")["spec"]["template"]["spec"]["initContainers"]
        environment = {k: v for k, v in environment.items() if k.startswith("OCTOPUS")}
        for planted, told in (("", ""), ("[audit]\nstdout = 'perhaps'\n", "audit.stdout"), ("[tool]\nread_only = false\n", "tool")):
            with self.subTest(planted), tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "config.toml")
                path.write_text(planted or toml)
                command = [BINARY, *(str(path) if word == "/etc/octopus-mcp/config.toml" else word for word in check["args"])]
                done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual(done.returncode, 2 if planted else 0, done.stderr)
                self.assertIn(told, done.stderr)

    def test_unknown_settings_are_reported(self):
        with self.assertRaises(AssertionError):
            self.taken({**LEAST, "OCTOPUS_MCP_HTTP__NOTHING": "1"})

    def test_chart(self):
        for case in ("minimal", "plain", "full"):
            with self.subTest(case):
                environment, toml = self.pods(case)
                said = self.check(environment, toml)
                self.assertRegex(said, r'http\.admin_listen = "\S+:9090"')

    def test_compose(self):
        toml = (DEPLOY / "compose/octopus-mcp.toml").read_text()
        several = {"SEAL_KEY": "k" * 32, "LIMITS_STORE": "redis://valkey:6379", "AUDIT_FILE": "", "AUDIT_STDOUT": "true"}
        for more, path in (({}, '"/var/lib/octopus-mcp/audit.jsonl"'), (several, "not set")):
            said = self.check(variables(load({**LEAST, **more})["services"]["server"]), toml)
            self.assertRegex(said, rf"(?m)^audit\.file\.path = {path} +#")
            self.assertRegex(said, r"(?m)^audit\.file\.keep = \d+ +# file ")

    def test_examples_that_allow_changes_require_audit_records(self):
        found = {path.name: tomllib.loads(path.read_text()) for path in (ROOT / "config").glob("*.toml")}
        changes = {name: toml["audit"] for name, toml in found.items() if toml.get("tools", {}).get("read_only") is False}
        self.assertIn("hosting.toml", changes)
        for name, audit in changes.items():
            self.assertTrue(audit["required"] and (audit.get("stdout") or audit.get("file")), name)

    def test_task_definition(self):
        task = json.loads((DEPLOY / "ecs/task-definition.json").read_text())
        [one] = task["containerDefinitions"]
        environment = {e["name"]: e["value"] for e in one["environment"]}
        environment |= {s["name"]: SECRETS[s["name"]] for s in one["secrets"]}
        said = self.check(environment, (ROOT / "config/container.toml").read_text())
        # A service can run several tasks, so changes can be allowed without further settings.
        self.assertRegex(said, r"(?m)^tools\.seal_key = ")
        self.assertNotIn("limits.store = \"memory\"", said)
        drain = int(re.search(r'http\.drain_timeout = "(\d+)s"', said)[1])
        self.assertGreater(one["stopTimeout"], drain)

    def test_systemd_unit(self):
        unit = (DEPLOY / "systemd/octopus-mcp.service").read_text()
        toml = (ROOT / "config/production.toml").read_text()
        said = self.check({"OCTOPUS_SERVER_URL": "https://octopus.example.com"}, toml)
        for name in re.findall(r"OCTOPUS_MCP_\w+", toml):
            self.taken({"OCTOPUS_SERVER_URL": "https://octopus.example.com", name: SECRETS[name]}, toml)
        drain = int(re.search(r'http\.drain_timeout = "(\d+)s"', said)[1])
        self.assertGreater(int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.M)[1]), drain)
        # The audit file in its comment is in the only writable folder.
        self.assertIn("audit.file.path = \"/var/lib/octopus-mcp/", unit)
        self.assertIn("\nStateDirectory=octopus-mcp\n", unit)

    def test_registry(self):
        for package in json.loads((ROOT / "server.json").read_text())["packages"]:
            given = {v["name"]: v.get("default", v.get("placeholder")) for v in package["environmentVariables"]}
            self.taken({k: v or SECRETS[k] for k, v in given.items()})

    def test_examples_in_values(self):
        text = (DEPLOY / "helm/octopus-mcp/values.yaml").read_text()
        named = re.findall(r"# *- name: (OCTOPUS_MCP_\w+)", text)
        self.assertEqual(len(named), 2)
        self.taken({**{n: SECRETS[n] for n in named}, "OCTOPUS_SERVER_URL": "https://octopus.example.com"})
        tomllib.loads(yaml.safe_load(text)["config"])


if __name__ == "__main__":
    unittest.main()
