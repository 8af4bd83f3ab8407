"""Tests the Dockerfile and the image that tests/packaging/image.py has built from it."""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import commands
import image
from chart import ROOT
from compose import load, variables
from test_settings import BINARY, LEAST

DOCKERFILE = (ROOT / "Dockerfile").read_text()
LAST_STAGE = DOCKERFILE[DOCKERFILE.rindex("\nFROM "):]
# The folder of `image.py`. Set by tests/run.
FOLDER = os.environ.get("OCTOPUS_MCP_IMAGE", "")
SAMPLE = Path(BINARY).parent / "examples/sample_instance"
KEY = "API-SAMPLE00000000000000000000ADMIN"
STATE = "/var/lib/octopus-mcp"
# Folders of the base image that its user may write to.
BASE_FOLDERS = {"/home/nonroot", "/run/lock", "/tmp", "/var/lock", "/var/tmp"}
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_spaces", "arguments": {}}}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
INITIALIZE = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
    "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}


def request(body, host="localhost", port=8080):
    """Returns a request of an MCP client with an API key: URL, headers and body."""
    headers = {"Host": f"{host}:{port}", "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
               "MCP-Protocol-Version": "2025-11-25", "X-Octopus-ApiKey": KEY}
    return f"http://127.0.0.1:{port}/mcp", headers, body


class Build(unittest.TestCase):
    def test_build_context_contains_included_files(self):
        taken = 0
        folders = [ROOT / "src", ROOT / "crates"]
        for source in (file for folder in folders for file in folder.rglob("*.rs")):
            for path in re.findall(r'include_(?:str|bytes)!\(\s*"([^"]+)"', source.read_text()):
                place = (source.parent / path).resolve()
                self.assertTrue(any(place.is_relative_to(folder) for folder in folders), f"{source}: {path}")
                taken += 1
        self.assertGreater(taken, 0)

    def test_program_path_matches_the_documents(self):
        taken = re.search(r"docker cp \S+:(\S+) \.", (ROOT / "deploy/README.md").read_text())[1]
        self.assertIn(f"\nENTRYPOINT {json.dumps([taken])}\n", LAST_STAGE)
        self.assertIn(f"\nCOPY --from=build /octopus-mcp/bin/octopus-mcp {taken}\n", LAST_STAGE)

    def test_volume_folder_is_empty(self):
        self.assertEqual(re.findall(r"^.*/state\b.*$", DOCKERFILE.removesuffix(LAST_STAGE), re.M), [" && mkdir /state"])

    def test_dockerignore_allows_copied_files(self):
        let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
        copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M)
        self.assertEqual({name for names in copied for name in names.split()}, let_in)


def started(command):
    """Returns the image, variables, arguments and published port of a `docker run` command, and whether it is read-only."""
    words = iter(shlex.split(command)[2:])
    environment, port, read_only = {}, None, False
    for word in words:
        if word == "--read-only":
            read_only = True
        elif word == "--rm":
            pass
        elif word in ("-e", "-p"):
            value = next(words)
            if word == "-e":
                name, _, environment[name] = value.partition("=")
            else:
                port = int(value.rpartition(":")[2])
        else:
            break
    return word, environment, list(words), port, read_only


@unittest.skipUnless(FOLDER, "no image; build it with `tests/run packaging` as root")
class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        store = image.Store(FOLDER)
        cls.settings = store.settings(image.NAME)
        cls.environment = dict(one.split("=", 1) for one in cls.settings["Env"])
        container = store.container(image.NAME)
        cls.root = container.__enter__()[1]
        cls.addClassCleanup(container.__exit__, None, None, None)

    def run_confined(self, environment, arguments=None, **options):
        """Runs the server and the health check of the image. `arguments` replace CMD. Returns the results."""
        kind, *health = self.settings["Healthcheck"]["Test"]
        self.assertEqual(kind, "CMD")
        given = {
            "root": str(self.root), "user": self.settings["User"], "health": health,
            "environment": self.environment | environment,
            "serve": self.settings["Entrypoint"] + (self.settings["Cmd"] if arguments is None else arguments),
            "volumes": {}, "programs": {}, "read_only": True, "octopus": None, "requests": [], **options,
        }
        # An own process namespace, so that every process ends with the first one.
        spaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        done = subprocess.run([*spaces, sys.executable, Path(__file__).parent / "confined.py", json.dumps(given)],
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def assert_served(self, came):
        """Asserts that the server was healthy, and that it stopped on SIGTERM before `http.drain_timeout`."""
        self.assertEqual(came["after"], 0, came["said"] + came["output"])
        self.assertEqual(came["ended"], 0, came["output"])
        drain = re.search(r'^drain_timeout = "(\d+)s"$', (ROOT / "config/reference.toml").read_text(), re.M)[1]
        self.assertLess(came["stopping"], int(drain))

    def test_contains_the_program_and_no_shell(self):
        [program] = self.settings["Entrypoint"]
        version = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.M)[1]
        # On the machine itself, as the binary that deploy/README.md copies out of the image.
        said = subprocess.run([f"{self.root}{program}", "--version"], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(said.stdout, f"octopus-mcp {version}\n")
        self.assertEqual([path for path in ("bin/sh", "usr/bin/sh", "bin/bash") if os.path.lexists(self.root / path)], [])
        self.assertIn("io.modelcontextprotocol.server.name", self.settings["Labels"])
        self.assertEqual(set(self.settings["ExposedPorts"]), {"8080/tcp"})

    def test_serves_unprivileged_on_read_only_root_and_stops(self):
        given = {"OCTOPUS_SERVER_URL": "{octopus}", "OCTOPUS_MCP_HTTP__ALLOWED_HOSTS": "mcp.example.com"}
        asked = [request(INITIALIZE), request(LIST), request(CALL, "mcp.example.com"), request(LIST, "other.example.com")]
        for more in ({}, {"OCTOPUS_MCP_HTTP__ADMIN_LISTEN": "0.0.0.0:9090"}):
            came = self.run_confined(given | more, octopus=[str(SAMPLE)], requests=asked)
            self.assert_served(came)
            self.assertNotEqual(came["before"], 0, "the health check fails without a server")
            self.assertRegex(came["status"], r"Uid:\t65532\t65532\t65532\t65532\n")
            self.assertRegex(came["status"], r"CapEff:\t0+\n")
            self.assertRegex(came["status"], r"CapBnd:\t0+\n")
            self.assertRegex(came["status"], r"NoNewPrivs:\t1\n")
            self.assertEqual([status for status, _ in came["answers"]], [200, 200, 200, 403])
            expected = ('"serverInfo"', '"list_spaces"', '"id":"Spaces-1"', "http.allowed_hosts")
            for (_, body), words in zip(came["answers"], expected, strict=True):
                self.assertIn(words, body.replace('\\"', '"'))
            self.assertEqual((came["allowed"], came["changed"]), ([], []))

    def test_writes_nothing_on_a_writable_root(self):
        came = self.run_confined({"OCTOPUS_SERVER_URL": "{octopus}"}, octopus=[str(SAMPLE)], requests=[request(CALL)],
                                 read_only=False)
        self.assert_served(came)
        self.assertEqual(came["answers"][0][0], 200)
        # The user may write to its volume folder and to those of the base image: neither the program nor its settings.
        self.assertEqual([path for path in came["allowed"] if path not in BASE_FOLDERS][:20], [STATE])
        self.assertEqual(came["changed"], [])

    def test_writes_the_audit_into_a_new_volume_and_nowhere_else(self):
        server = load(LEAST)["services"]["server"]
        given = {k: v for k, v in variables(server).items() if k.startswith("OCTOPUS_")}
        path = Path(given["OCTOPUS_MCP_AUDIT__FILE__PATH"])
        # compose.yaml mounts the volume at this folder of the image.
        self.assertEqual(str(path.parent), STATE)
        self.assertIn(f"server-data:{STATE}", server["volumes"])
        with tempfile.TemporaryDirectory() as volume:
            came = self.run_confined(given, volumes={STATE: volume})
            self.assert_served(came)
            written = Path(volume, path.name).stat()
            self.assertEqual((written.st_uid, written.st_gid, written.st_mode & 0o777), (65532, 65532, 0o600))
            self.assertEqual(came["allowed"], [STATE])
            self.assertEqual([one for one in came["changed"] if not one.startswith(STATE)], [])
        came = self.run_confined(given)
        self.assertNotEqual(came["ended"], 0)
        self.assertIn(f'audit.file.path = "{path}"', came["output"])

    def test_exits_with_a_hint_without_an_instance(self):
        came = self.run_confined({})
        self.assertEqual(came["ended"], 2)
        self.assertNotEqual(came["after"], 0)
        self.assertIn("OCTOPUS_SERVER_URL", came["output"])

    def test_registry_package_answers_on_standard_input(self):
        packages = json.loads((ROOT / "server.json").read_text())["packages"]
        [package] = [one for one in packages if one["transport"]["type"] == "stdio"]
        arguments = [one["value"] for one in package["packageArguments"]]
        given = {one["name"]: one.get("default", one.get("placeholder", KEY)) for one in package["environmentVariables"]}
        command = ["unshare", "--net", "chroot", f"--userspec={self.settings['User']}", self.root]
        done = subprocess.run([*command, *self.settings["Entrypoint"], *arguments], env=self.environment | given, capture_output=True,
                              text=True, input=json.dumps(INITIALIZE) + "\n", timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["result"]["serverInfo"]["name"], "octopus-mcp")

    def test_documented_run_commands_respond(self):
        header = "\n".join(line.removeprefix("#").strip() for line in DOCKERFILE[:DOCKERFILE.index("\nFROM")].splitlines())
        found = {one for one in (*commands.found(), *commands.lines(header, is_console=False)) if one.startswith("docker run ")}
        self.assertGreater(len(found), 2)
        for command in found:
            with self.subTest(command):
                name, environment, arguments, port, read_only = started(command)
                self.assertEqual(name, "octopus-mcp")
                # The sample instance is in images with FEATURES=sample, as it is in the program of the tests.
                [program] = self.settings["Entrypoint"]
                has_sample = "sample" in command.lower()
                came = self.run_confined(
                    environment, arguments or None, read_only=read_only, requests=[request(LIST, port=port)],
                    programs={program: str(Path(BINARY).resolve())} if has_sample else {},
                )
                self.assert_served(came)
                self.assertEqual(came["answers"][0][0], 200, came["answers"])


if __name__ == "__main__":
    unittest.main()
