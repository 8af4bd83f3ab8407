"""Runs the commands of the documents as written."""

import contextlib
import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import yaml

import commands
from chart import ROOT, render
from compose import DEPLOY, example, load, variables
from test_settings import BINARY
from test_tls import AUTHORITY, PATIENCE, start_caddy

HOST = "mcp.example.com"
# Mount point of the audit volume in the container.
VOLUME = "/var/lib/octopus-mcp/"
# A key of the sample instance, which replaces Octopus in these tests.
KEY = "API-SAMPLE00000000000000000000ADMIN"
SAMPLE = Path(BINARY).parent / "examples/sample_instance"


class Commands(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, self.bin = Path(folder.name), Path(folder.name) / "bin"
        self.bin.mkdir()
        (self.bin / "octopus-mcp").symlink_to(Path(BINARY).resolve())
        self.environment = {"PATH": f"{self.bin}:{os.defpath}", "HOME": str(self.folder)}

    def stand_in(self, program, script):
        """Creates a script that replaces a program."""
        (self.bin / program).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / program).chmod(0o755)

    def shell(self, script, **environment):
        """Runs a script and returns its output."""
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=self.folder, text=True, check=False,
                              env=self.environment | environment, capture_output=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, f"{script}\n{done.stdout}{done.stderr}")
        return done.stdout

    @contextlib.contextmanager
    def started(self, command, said, **environment):
        """Starts a program and returns the address it prints. At the end it must exit with status 0."""
        log = self.folder / "server.log"
        with log.open("w") as out:
            program = subprocess.Popen(command, cwd=self.folder, env=self.environment | environment, stdout=out,
                                       stderr=subprocess.STDOUT)
        try:
            until = time.monotonic() + PATIENCE
            while not (found := re.search(said, log.read_text())):
                self.assertIsNone(program.poll(), log.read_text())
                self.assertLess(time.monotonic(), until, log.read_text())
                time.sleep(0.05)
            yield found[1]
        finally:
            program.terminate()
            self.assertEqual(program.wait(PATIENCE), 0, log.read_text())

    def test_each_command_is_covered_once(self):
        found = commands.found()
        self.assertGreater(len(found), 60)
        for command, where in found.items():
            self.assertEqual(len(commands.ways(command)), 1, f"{where}: {command}: {commands.ways(command)}")
        # A new command is not listed yet.
        for command in ("octopus-mcp audit show FILE", "docker compose down", "octopus-mcp token new SOMEBODY"):
            self.assertEqual(commands.ways(command), [], command)

    def test_listed_commands_are_in_the_documents(self):
        known = [*commands.RUN, *commands.SERVE, *commands.FIRST_STEP, commands.SETTING, *sum(commands.NOT_RUN.values(), [])]
        self.assertEqual(set(known) - set(commands.found()), set())
        for file, (there, forms) in commands.ELSEWHERE.items():
            self.assertIn(there, (ROOT / file).read_text(), file)
            for form in forms:
                self.assertTrue(any(re.fullmatch(form, command) for command in commands.found()), form)

    def test_first_step_creates_the_files_of_compose(self):
        self.stand_in("git", f'[ "$1" = clone ] && mkdir "$3" && cp -R {shlex.quote(str(DEPLOY))} "$3/"')
        # A strict umask must not hide the files from the containers, which run as other users.
        for mask in ("022", "077"):
            with self.subTest(mask):
                self.shell("\n".join([f"umask {mask}", *commands.FIRST_STEP]), EDITOR="true")
                made = self.folder / "octopus-mcp/deploy"
                given = dict(re.findall(r"^(\w+)=(.*)$", (made / ".env").read_text(), re.M))
                self.assertEqual(given, example())
                file = load(given)
                secrets = [made / secret["file"] for secret in file["secrets"].values()]
                for secret in secrets:
                    self.assertRegex(secret.read_text(), r"^[0-9a-f]{48}\n$")
                mounts = [mount.split(":")[0] for one in file["services"].values() for mount in one.get("volumes", [])]
                for mounted in [*secrets, *(made / source for source in mounts if source.startswith("."))]:
                    for path in [mounted, *mounted.rglob("*")]:
                        wanted = 0o005 if path.is_dir() else 0o004
                        self.assertEqual(path.stat().st_mode & wanted, wanted, path)
                self.assertEqual((made / "secrets").stat().st_mode & 0o777, 0o700)
                shutil.rmtree(self.folder / "octopus-mcp")

    def test_server_commands_respond(self):
        (self.folder / ".octopus-key").write_text(KEY)
        for command in commands.SERVE:
            # Uses the built program and a free port.
            run = command.replace("cargo run --release --", "octopus-mcp").replace("[serve]", "serve")
            for before in ("", commands.SETTING) if "--server-url" in command else ("",):
                with self.subTest(f"{before} {command}"):
                    script = f"{before}\nexec {run} --listen 127.0.0.1:0"
                    needed = {} if run.count("--") else {"OCTOPUS_SERVER_URL": "https://octopus.example.com"}
                    # The server verifies its instance. The closed port keeps that on this machine.
                    needed |= {"HTTPS_PROXY": "http://127.0.0.1:9"}
                    with self.started(["bash", "-euc", script], r"serv\S+ (?:endpoint=\")?(http://[^\s\"]+)", **needed) as url:
                        asked = self.shell(f"curl -s --noproxy '*' {url.removesuffix('/mcp')}/readyz")
                        self.assertIn("ready", asked)

    def test_helm_commands_have_valid_values(self):
        found = [command for command in commands.found() if commands.CHART.fullmatch(command)]
        self.assertEqual(len(found), 3)
        for command in found:
            values = {"octopus": {"url": "https://octopus.example.com"}, "hosts": [HOST]}
            words = shlex.split(command)
            for name, given in zip(words, words[1:], strict=False):
                if name == "--set":
                    path, _, value = given.partition("=")
                    *tables, last = path.split(".")
                    table = values
                    for key in tables:
                        table = table.setdefault(key, {})
                    table[last] = yaml.safe_load(value.replace("{", "[").replace("}", "]"))
            # Keeps the set values and takes new defaults of a newer chart, unlike `--reuse-values`.
            self.assertEqual("helm upgrade" in command, "--reset-then-reuse-values" in words, command)
            self.assertNotIn("--reuse-values", words)
            files = render(values)
            self.assertIn("kind: Deployment", files["deployment.yaml"], command)
            self.assertEqual("serviceMonitor.enabled=true" in command, "kind: ServiceMonitor" in "".join(files.values()))

    def behind_tls(self, octopus):
        """Returns the settings of the server in deploy/compose.yaml, and the port that Caddy forwards to."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        server = load({"OCTOPUS_SERVER_URL": octopus, "MCP_HOST": HOST})["services"]["server"]
        toml = (DEPLOY / "compose/octopus-mcp.toml").read_text()
        toml = toml.replace("0.0.0.0:8080", f"127.0.0.1:{port}").replace("0.0.0.0:9090", "127.0.0.1:0")
        (self.folder / "FILE").write_text(toml)
        given = {k: v for k, v in variables(server).items() if k.startswith("OCTOPUS_")}
        # A folder replaces the volume, and files are rotated early.
        (self.folder / "volume").mkdir()
        path = given["OCTOPUS_MCP_AUDIT__FILE__PATH"].replace(VOLUME, f"{self.folder}/volume/")
        given |= {"OCTOPUS_MCP_AUDIT__FILE__PATH": path, "OCTOPUS_MCP_AUDIT__FILE__ROTATE_BYTES": "4 KiB"}
        return given, port

    def trusted(self, caddy, port):
        """Waits until Caddy has created its certificate."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                context = ssl.create_default_context(cafile=self.folder / AUTHORITY)
                with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain:
                    context.wrap_socket(plain, server_hostname=HOST).close()
                return
            except OSError:
                self.assertIsNone(caddy.poll())
                self.assertLess(time.monotonic(), until, (self.folder / "log").read_text())
                time.sleep(0.05)

    def test_other_commands_print_expected_output(self):
        with self.started([SAMPLE], r"(http://\S+)") as octopus:
            shutil.move(self.folder / "server.log", self.folder / "octopus.log")
            given, port = self.behind_tls(octopus)
            serve = ["octopus-mcp", "serve", "--config", "FILE"]
            with self.started(serve, r"(server started)", **given):
                caddy, tls = start_caddy(self, self.folder, HOST, port)
                self.trusted(caddy, tls)
                self.stand_in("curl", f'exec {shutil.which("curl")} --noproxy "*" --cacert {self.folder / AUTHORITY} '
                                      f'--connect-to {HOST}:443:127.0.0.1:{tls} "$@"')
                # Replaces Docker: prints the log, and copies files from the volume.
                self.stand_in("docker", f'case "$2" in logs) cat server.log ;; cp) cp "volume/${{3#server:{VOLUME}}}" "$4" ;; esac')
                for command, says in commands.RUN.items():
                    with self.subTest(command):
                        self.assertRegex(self.told(command, given), says)

    def told(self, command, given):
        """Runs a command with its placeholders replaced, and returns its output."""
        if "THE-ID" in command and not self.on_record("one"):
            self.call("one")
        # Files are turned over.
        while "audit.jsonl.*" in command and not list(self.folder.glob("volume/audit.jsonl.*")):
            self.call("more")
        command = command.replace("THE-ID", "one")
        if "audit verify" in command:
            command = "cd volume && " + command.replace("FILE", "audit.jsonl")
        return self.shell(command.replace("[--json]", "--json"), OCTOPUS_API_KEY=KEY, **given)

    def call(self, name):
        """Sends a call with this request ID, and waits for its record."""
        body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_spaces","arguments":{}}}'
        before = self.on_record(name)
        self.shell(f"curl -s https://{HOST}/mcp -H 'Content-Type: application/json' -H 'X-Request-Id: {name}' "
                   f"-H 'X-Octopus-ApiKey: {KEY}' -d '{body}'")
        until = time.monotonic() + PATIENCE
        while self.on_record(name) == before:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)

    def on_record(self, name):
        """Returns the number of records with this request ID."""
        return sum(file.read_text().count(f'"request":"{name}"') for file in self.folder.glob("volume/audit.jsonl*"))


if __name__ == "__main__":
    unittest.main()
