"""Checks that files agree with each other and meet the formats of other tools."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import unittest
from pathlib import Path

import yaml

from chart import CHART, ROOT
from compose import DEPLOY, example, load

TOOLS = Path(sys.executable).parent
# Placeholders for the names of a repository: https://github.com/example/..., ghcr.io/example/..., io.github.example/...
STANDS_FOR = re.compile(r"(?:github\.com/|ghcr\.io/|io\.github\.)example\b")
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def cargo():
    """Returns the package, with the values that it inherits from the workspace."""
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    inherited = manifest["workspace"]["package"]
    return {key: inherited[key] if value == {"workspace": True} else value for key, value in manifest["package"].items()}


def task():
    return json.loads((ROOT / "deploy/ecs/task-definition.json").read_text())


def release():
    """Returns the jobs of the release workflow."""
    return yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]


def copied(folder):
    """Copies every file of the repository to a folder, and returns the paths."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = [name for name in listed.split("\0") if (ROOT / name).is_file()]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return names


def cloudformation(definition):
    """Returns the task definition in the spelling of CloudFormation, which cfn-lint checks."""

    def spelled(value, as_is=False):
        if isinstance(value, dict):
            return {k if as_is else k[0].upper() + k[1:]: spelled(v, k == "options") for k, v in value.items()}
        return [spelled(v) for v in value] if isinstance(value, list) else value

    resource = {"Type": "AWS::ECS::TaskDefinition", "Properties": spelled(definition)}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Task": resource}}


def lint(definition):
    """Returns the output of cfn-lint."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(cloudformation(definition), file)
        file.flush()
        command = [TOOLS / "cfn-lint", "--regions", "eu-west-1", "--", file.name]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stdout


class Versions(unittest.TestCase):
    def test_match_the_code(self):
        version = cargo()["version"]
        chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
        self.assertEqual({chart["version"], chart["appVersion"]}, {version})
        server = json.loads((ROOT / "server.json").read_text())
        self.assertEqual(server["version"], version)
        for package in server["packages"]:
            # OCI packages have the version in their identifier only.
            self.assertTrue(package["identifier"].endswith(f":{version}"))
            self.assertNotIn("version", package)
        self.assertTrue(task()["containerDefinitions"][0]["image"].endswith(f":{version}"))

    def test_compiler_matches_the_image(self):
        wanted = cargo()["rust-version"]
        for file in (ROOT / "Dockerfile", *WORKFLOWS):
            for found in re.findall(r"(?:rust:|toolchain install |TOOLCHAIN[=:] ?\"?)(\d+\.\d+)", file.read_text()):
                self.assertEqual(found, wanted, file.name)


class Names(unittest.TestCase):
    def test_image_label_matches_the_registry(self):
        named = re.search(r'io\.modelcontextprotocol\.server\.name="(.+)"', (ROOT / "Dockerfile").read_text())[1]
        self.assertEqual(named, json.loads((ROOT / "server.json").read_text())["name"])

    def test_image_name_is_consistent(self):
        image = yaml.safe_load((CHART / "values.yaml").read_text())["image"]["repository"]
        server = json.loads((ROOT / "server.json").read_text())
        others = [package["identifier"] for package in server["packages"]]
        others.append(task()["containerDefinitions"][0]["image"])
        self.assertEqual({other.rpartition(":")[0] for other in others}, {image})

    def test_release_replaces_the_placeholders(self):
        with tempfile.TemporaryDirectory() as folder:
            copy, texts = Path(folder), {}
            listed = copied(copy)
            refused = subprocess.run([copy / "deploy/names", "acme"], capture_output=True, check=False)
            self.assertEqual(refused.returncode, 1)
            subprocess.run([copy / "deploy/names", "Acme-Inc/Octopus.mcp"], check=True, timeout=60)
            for name in listed:
                # Files that describe or show the placeholder.
                if name not in ("deploy/names", "tests/packaging/test_documents.py"):
                    texts[name] = (copy / name).read_bytes().decode(errors="replace")
        self.assertEqual([name for name, text in texts.items() if STANDS_FOR.search(text)], [])
        runbook = re.findall(r"runbook_url: (\S+)#", texts["deploy/observability/alerts.yaml"])
        self.assertEqual(set(runbook), {"https://github.com/Acme-Inc/Octopus.mcp/blob/main/docs/operations.md"})
        self.assertEqual(texts["deploy/helm/octopus-mcp/files/alerts.yaml"], texts["deploy/observability/alerts.yaml"])
        # Image names are lowercase.
        self.assertIn("repository: ghcr.io/acme-inc/octopus.mcp\n", texts["deploy/helm/octopus-mcp/values.yaml"])
        self.assertEqual(json.loads(texts["server.json"])["name"], "io.github.Acme-Inc/octopus-mcp")
        self.assertIn('name="io.github.Acme-Inc/octopus-mcp"', texts["Dockerfile"])


class Page(unittest.TestCase):
    """Tests the files of the release page."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.copy, cls.files = Path(folder.name) / "copy", Path(folder.name) / "files"
        copied(cls.copy)
        (cls.copy / "made").mkdir()
        # Runs the step of the release workflow.
        [step] = [step for step in release()["page"]["steps"] if step.get("name", "").startswith("Create the files")]
        named = {"GITHUB_REPOSITORY": "Acme-Inc/Octopus.mcp", "VERSION": "1.2.3", "PATH": os.defpath}
        subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], cwd=cls.copy, env=named, check=True, timeout=60)
        with tarfile.open(cls.copy / "made/octopus-mcp-deploy-1.2.3.tar.gz") as packed:
            packed.extractall(cls.files, filter="data")

    def test_compose_uses_the_released_image(self):
        deploy = self.files / "deploy"
        for text in ((deploy / name).read_text() for name in ("compose.yaml", "compose/env.example")):
            self.assertRegex(text, r"OCTOPUS_MCP_IMAGE(=|:-)ghcr\.io/acme-inc/octopus\.mcp:1\.2\.3\b")
            self.assertNotIn("octopus-mcp:local", text)
            self.assertNotIn("--build", text)
        before = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
        after = yaml.safe_load((deploy / "compose.yaml").read_text())
        self.assertIn("build", before["services"]["server"])
        del before["services"]["server"]["build"], before["services"]["server"]["image"]
        self.assertIn("octopus.mcp:1.2.3", after["services"]["server"].pop("image"))
        self.assertEqual(after, before)

    def test_has_mounted_and_installed_files(self):
        mounted = [mount.partition(":")[0] for service in load(example())["services"].values()
                   for mount in service.get("volumes", [])]
        self.assertGreater(sum(source.startswith("./") for source in mounted), 4)
        for source in mounted:
            if source.startswith("./"):
                self.assertTrue((self.files / "deploy" / source).exists(), source)
        unit = (self.files / "deploy/systemd/octopus-mcp.service").read_text()
        installed = re.findall(r"^# +install .*?(\S+) /\S+", unit, re.M)
        # deploy/README.md describes how to copy the program from the image.
        self.assertEqual(installed[0], "octopus-mcp")
        self.assertEqual([name for name in installed[1:] if not (self.files / name).exists()], [])
        self.assertIn("docker create --name octopus-mcp-files ghcr.io/acme-inc/octopus.mcp:VERSION",
                      (self.files / "deploy/README.md").read_text())

    def test_invalid_versions_are_rejected(self):
        refused = subprocess.run([self.copy / "deploy/names", "acme/server", "latest"], capture_output=True, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(b"1.2.3", refused.stderr)


class Task(unittest.TestCase):
    def test_passes_cfn_lint(self):
        self.assertEqual(lint(task()), "")

    def test_lint_finds_mistakes(self):
        self.assertIn("E3047", lint({**task(), "cpu": "256", "memory": "8192"}))
        self.assertIn("Memori", lint({**task(), "memori": "1024"}))

    def test_runs_unprivileged_on_read_only_root(self):
        [one] = task()["containerDefinitions"]
        self.assertIs(one["readonlyRootFilesystem"], True)
        self.assertEqual(one["linuxParameters"]["capabilities"], {"drop": ["ALL"]})
        self.assertEqual(one["user"], "65532:65532")

    def test_reads_secrets_from_secrets_manager(self):
        [one] = task()["containerDefinitions"]
        self.assertTrue(all(s["valueFrom"].startswith("arn:aws:secretsmanager:") for s in one["secrets"]))
        self.assertFalse({s["name"] for s in one["secrets"]} & {e["name"] for e in one["environment"]})


class Workflows(unittest.TestCase):
    def test_actions_are_pinned_with_their_version(self):
        used = [line for file in WORKFLOWS for line in file.read_text().splitlines() if "uses:" in line]
        self.assertGreater(len(used), 10)
        for line in used:
            self.assertRegex(line, r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")

    def test_actions_are_pinned_consistently(self):
        used = {u for file in WORKFLOWS for u in re.findall(r"uses: (\S+)@(\S+)", file.read_text())}
        self.assertEqual(len(used), len({action for action, _ in used}))

    def test_published_files_have_repository_names(self):
        jobs = release()
        runs = {name: "\n".join(step.get("run", "") for step in job["steps"]) for name, job in jobs.items()}
        named = {name for name, run in runs.items() if 'deploy/names "$GITHUB_REPOSITORY"' in run}
        self.assertEqual(named, {"image", "chart", "page"})
        self.assertFalse(re.search("example", "".join(runs.values())))

    def test_artifacts_are_downloaded_by_name(self):
        jobs, taken = release(), {}

        def before(name):
            needs = jobs[name].get("needs", [])
            return {one for need in ([needs] if isinstance(needs, str) else needs) for one in {need} | before(need)}

        def steps(name, action):
            return [step.get("with", {}) for step in jobs[name]["steps"] if f"/{action}@" in step.get("uses", "")]

        for name in jobs:
            given = {one["name"] for job in before(name) for one in steps(job, "upload-artifact")}
            # Without a name, the action downloads the artifacts of all jobs.
            taken[name] = {one.get("name", "") for one in steps(name, "download-artifact")}
            self.assertLessEqual(taken[name], given, name)
            if steps(name, "build-push-action"):
                self.assertEqual(jobs[name]["env"]["DOCKER_BUILD_RECORD_UPLOAD"], "false")
        self.assertEqual(taken["page"], {"parts", "chart"})

    def test_jobs_declare_their_permissions(self):
        for file in WORKFLOWS:
            workflow = yaml.safe_load(file.read_text())
            self.assertEqual(workflow["permissions"], {}, file.name)
            for name, job in workflow["jobs"].items():
                self.assertIn("permissions", job, name)


if __name__ == "__main__":
    unittest.main()
