"""Tests the program with the layout, user and commands of the Dockerfile, without building the image."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import certifi

from chart import ROOT
from compose import load, variables
from test_settings import BINARY, LEAST

DOCKERFILE = (ROOT / "Dockerfile").read_text()
LAST_STAGE = DOCKERFILE[DOCKERFILE.rindex("\nFROM "):]
# The mount point of the audit volume: owner and path.
STATE_OWNER, STATE_PLACE = re.search(r"^COPY --from=build --chown=(\S+) /state (\S+)$", LAST_STAGE, re.M).groups()


def command(instruction):
    """Returns the command of an instruction. HEALTHCHECK has it on a separate line."""
    return json.loads(re.search(rf"^{instruction} (\[.*\])$", LAST_STAGE, re.M)[1])


def libraries(program):
    """Returns the shared libraries of a program. In the image, the base image provides them."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=60, check=True).stdout
    return re.findall(r"(/\S+) \(0x", listed)


def put(root, source, target):
    """Creates a hard link to a file, or a copy if that fails."""
    path = root / target.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.hardlink_to(Path(source).resolve())
    except OSError:
        shutil.copy(source, path)


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
        self.assertEqual([taken], command("ENTRYPOINT"))
        self.assertIn(f"\nCOPY --from=build /octopus-mcp {taken}\n", LAST_STAGE)

    def test_volume_folder_is_empty(self):
        self.assertEqual(re.findall(r"^.*/state\b.*$", DOCKERFILE.removesuffix(LAST_STAGE), re.M), [" && mkdir /state"])

    def test_dockerignore_allows_copied_files(self):
        let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
        copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M)
        self.assertEqual({name for names in copied for name in names.split()}, let_in)


@unittest.skipUnless(os.geteuid() == 0, "changing the root folder requires root")
class Image(unittest.TestCase):
    def run_confined(self, environment, **volumes):
        """Runs the commands of the image in a root folder with its layout. Returns the results."""
        serve = command("ENTRYPOINT") + command("CMD")
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            # Writable by all users, so that only the read-only mount prevents writing.
            root.chmod(0o777)
            put(root, BINARY, serve[0])
            settings = re.search(r"^COPY (config/\S+) (\S+)$", LAST_STAGE, re.M)
            put(root, ROOT / settings[1], settings[2])
            # The base image has its certificate authorities at this path.
            put(root, certifi.where(), "/etc/ssl/certs/ca-certificates.crt")
            touch = shutil.which("touch")
            put(root, touch, "/usr/local/bin/touch")
            for library in {*libraries(BINARY), *libraries(touch)}:
                put(root, library, library)
            who = re.search(r"^USER (\S+)$", LAST_STAGE, re.M)[1]
            state = root / STATE_PLACE.lstrip("/")
            state.mkdir(parents=True)
            os.chown(state, *map(int, STATE_OWNER.split(":")))
            done = subprocess.run(
                ["unshare", "--mount", "--net", sys.executable, Path(__file__).parent / "confined.py", root, who,
                 json.dumps(environment), json.dumps(serve), json.dumps(command(r"HEALTHCHECK .*\\\n +CMD")),
                 json.dumps(volumes)],
                capture_output=True, text=True, timeout=120, check=False,
            )
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_serves_unprivileged_on_read_only_root_and_stops(self):
        told = {"OCTOPUS_SERVER_URL": "https://octopus.example.com", "OCTOPUS_MCP_HTTP__ALLOWED_HOSTS": "mcp.example.com"}
        for more in ({}, {"OCTOPUS_MCP_HTTP__ADMIN_LISTEN": "0.0.0.0:9090"}):
            came = self.run_confined(told | more)
            self.assertNotEqual(came["before"], 0, "the health check fails without a server")
            self.assertEqual(came["after"], 0, came["said"] + came["output"])
            self.assertRegex(came["status"], r"Uid:\t65532\t65532\t65532\t65532\n")
            self.assertRegex(came["status"], r"CapEff:\t0+\n")
            self.assertRegex(came["status"], r"CapBnd:\t0+\n")
            self.assertRegex(came["status"], r"NoNewPrivs:\t1\n")
            self.assertEqual(came["ended"], 0, came["output"])
            self.assertNotEqual(came["touch"], 0, "there was something to write to")

    def test_it_writes_the_audit_into_a_new_volume_and_nowhere_else(self):
        server = load(LEAST)["services"]["server"]
        told = {k: v for k, v in variables(server).items() if k.startswith("OCTOPUS_")}
        path = Path(told["OCTOPUS_MCP_AUDIT__FILE__PATH"])
        # compose.yaml mounts the volume at this folder of the image.
        self.assertIn(f"server-data:{STATE_PLACE}", server["volumes"])
        with tempfile.TemporaryDirectory() as volume:
            came = self.run_confined(told, **{str(path.parent): volume})
            self.assertEqual((came["after"], came["ended"]), (0, 0), came["said"] + came["output"])
            written = Path(volume, path.name).stat()
            self.assertEqual((written.st_uid, written.st_gid, written.st_mode & 0o777), (65532, 65532, 0o600))
        came = self.run_confined(told)
        self.assertNotEqual(came["ended"], 0)
        self.assertIn(f"audit.file.path: {path}", came["output"])

    def test_exits_with_a_hint_without_an_instance(self):
        came = self.run_confined({})
        self.assertEqual(came["ended"], 2)
        self.assertNotEqual(came["after"], 0)
        self.assertIn("OCTOPUS_SERVER_URL", came["output"])


if __name__ == "__main__":
    unittest.main()
