"""Tests that the SBOM and the licences list exactly the crates in the binary."""

import json
import tempfile
import unittest
from pathlib import Path

import sbom

LOCK = '''[[package]]
name = "used"
version = "1.0.0"
source = "registry+https://example.com/index"
checksum = "''' + "a" * 64 + '"\n'


def package(folder, name, **more):
    """Returns a crate as in `cargo metadata`, and writes its license text."""
    home = Path(folder) / name
    home.mkdir()
    (home / "LICENSE-MIT").write_text("Do as you like.\n")
    given = {"license": "MIT/Apache-2.0", "license_file": None, "repository": None, "description": "A  crate.\n"}
    return {"id": name, "name": name, "version": "1.0.0", "manifest_path": str(home / "Cargo.toml"), **given, **more}


def node(name, **deps):
    """Returns a node of the dependency graph: dependencies by name, with their kind."""
    return {"id": name, "deps": [{"pkg": p, "dep_kinds": [{"kind": k, "target": None}]} for p, k in deps.items()]}


class Sbom(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        (Path(folder.name) / "terms.txt").write_text("Only on Sundays.\n```\n")
        self.metadata = {
            "packages": [
                package(folder.name, "octopus-mcp", license="Apache-2.0"),
                package(folder.name, "used"),
                package(folder.name, "below", license=None, license_file="../terms.txt"),
                package(folder.name, "tests-only"),
                package(folder.name, "builds-only"),
            ],
            "resolve": {
                "root": "octopus-mcp",
                "nodes": [
                    node("octopus-mcp", **{"used": None, "tests-only": "dev"}),
                    node("used", **{"below": None, "builds-only": "build"}),
                    node("below"),
                    node("tests-only"),
                    node("builds-only"),
                ],
            },
        }

    def test_lists_crates_in_the_binary_only(self):
        bom = json.loads(sbom.bill(self.metadata, LOCK, "x86_64-unknown-linux-gnu"))
        self.assertEqual([c["name"] for c in bom["components"]], ["below", "used"])
        self.assertEqual(bom["metadata"]["component"]["name"], "octopus-mcp")
        needs = {d["ref"]: d.get("dependsOn", []) for d in bom["dependencies"]}
        self.assertEqual(needs["pkg:cargo/used@1.0.0"], ["pkg:cargo/below@1.0.0"])

    def test_component_has_checksum_and_license(self):
        bom = json.loads(sbom.bill(self.metadata, LOCK, "x86_64-unknown-linux-gnu"))
        [used] = [c for c in bom["components"] if c["name"] == "used"]
        self.assertEqual(used["hashes"], [{"alg": "SHA-256", "content": "a" * 64}])
        self.assertEqual(used["licenses"][0]["expression"], "MIT OR Apache-2.0")
        self.assertEqual(used["purl"], "pkg:cargo/used@1.0.0")

    def test_each_license_text_is_listed_once(self):
        listed = sbom.licences(self.metadata)
        self.assertEqual(listed.count("Do as you like."), 1)
        self.assertIn("## below 1.0.0 (LICENSE-MIT), used 1.0.0 (LICENSE-MIT)", listed)
        self.assertIn("````text\nOnly on Sundays.\n```\n````", listed)
        self.assertNotIn("tests-only", listed)


if __name__ == "__main__":
    unittest.main()
