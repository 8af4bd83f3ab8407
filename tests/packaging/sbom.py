"""deploy/sbom: creates an SBOM and a list of licences from the output of `cargo metadata`."""

import json
import re
import sys
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import LicenseAcknowledgement
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

# License and copyright files of crates.
TERMS = re.compile(r"(?i)^(licen[cs]e|copying|notice|copyright|unlicense)([-._].*)?$")
VERSION = SchemaVersion.V1_6


def used(metadata):
    """Returns the crates in the binary: the ID of each, with the IDs of its dependencies.

    What is needed for tests alone, or by build scripts, is not in it. Macros count: what they write is.
    """
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    found, waiting = {}, [metadata["resolve"]["root"]]
    while waiting:
        at = waiting.pop()
        if at in found:
            continue
        edges = nodes[at]["deps"]
        found[at] = sorted(e["pkg"] for e in edges if any(k["kind"] is None for k in e["dep_kinds"]))
        waiting += found[at]
    return found


def checksums(lock):
    """Returns the SHA-256 of each package from Cargo.lock."""
    pairs = re.findall(r'name = "(.+)"\nversion = "(.+)"\nsource = .+\nchecksum = "([0-9a-f]{64})"', lock)
    return {(name, version): checksum for name, version, checksum in pairs}


def component(package, checksum, kind=ComponentType.LIBRARY):
    """Returns the SBOM component of a crate."""
    terms = package["license"] and package["license"].replace("/", " OR ")
    made = LicenseFactory().make_from_string
    return Component(
        type=kind,
        name=package["name"],
        version=package["version"],
        bom_ref=f"pkg:cargo/{package['name']}@{package['version']}",
        purl=PackageURL("cargo", name=package["name"], version=package["version"]),
        scope=ComponentScope.REQUIRED,
        description=package["description"] and " ".join(package["description"].split()),
        licenses=[made(terms, license_acknowledgement=LicenseAcknowledgement.DECLARED)] if terms else [],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=checksum)] if checksum else [],
        external_references=[
            ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(package["repository"]))
        ] if package["repository"] else [],
    )


def bill(metadata, lock, target):
    """Returns the SBOM as JSON, validated against its schema."""
    packages = {package["id"]: package for package in metadata["packages"]}
    sums, graph, root = checksums(lock), used(metadata), metadata["resolve"]["root"]
    made = {
        at: component(
            packages[at],
            sums.get((packages[at]["name"], packages[at]["version"])),
            ComponentType.APPLICATION if at == root else ComponentType.LIBRARY,
        )
        for at in graph
    }
    bom = Bom(components=[one for at, one in made.items() if at != root])
    bom.metadata.component = made[root]
    bom.metadata.properties.add(Property(name="cdx:rustc:target", value=target))
    for at, needs in graph.items():
        bom.register_dependency(made[at], [made[need] for need in needs])
    text = make_outputter(bom, OutputFormat.JSON, VERSION).output_as_string(indent=2)
    wrong = JsonStrictValidator(VERSION).validate_str(text)
    if wrong:
        raise ValueError(f"the SBOM is not CycloneDX {VERSION}: {wrong}")
    return text + "\n"


def terms(package):
    """Returns the license texts of a crate by file name."""
    folder = Path(package["manifest_path"]).parent
    files = [f for f in sorted(folder.iterdir()) if f.is_file() and TERMS.match(f.name)]
    if package["license_file"]:
        files.append(folder / package["license_file"])
    return {f.name: f.read_text(errors="replace").strip() for f in files}


def licences(metadata):
    """Returns the list of licences as Markdown: the license of each crate, then each text once."""
    packages = {package["id"]: package for package in metadata["packages"]}
    root = metadata["resolve"]["root"]
    crates = sorted((packages[at] for at in used(metadata) if at != root), key=lambda p: (p["name"], p["version"]))
    texts, lines = {}, ["# Components of octopus-mcp and their licences", ""]
    lines += ["| crate | version | licence | where |", "| --- | --- | --- | --- |"]
    for crate in crates:
        said = crate["license"] or f"see {crate['license_file']}"
        lines.append(f"| {crate['name']} | {crate['version']} | {said} | {crate['repository'] or ''} |")
        for name, text in terms(crate).items():
            key = " ".join(text.split())
            texts.setdefault(key, (text, []))[1].append(f"{crate['name']} {crate['version']} ({name})")
    for text, owners in texts.values():
        longest = max(map(len, re.findall(r"`{3,}", text)), default=2)
        fence = "`" * (longest + 1)
        lines += ["", f"## {', '.join(dict.fromkeys(owners))}", "", f"{fence}text", text, fence]
    return "\n".join(lines) + "\n"


def main():
    """Reads `cargo metadata` from standard input. Arguments: target and output folder."""
    target, folder = sys.argv[1], Path(sys.argv[2])
    metadata = json.load(sys.stdin)
    lock = (Path(metadata["workspace_root"]) / "Cargo.lock").read_text()
    (folder / "octopus-mcp.cdx.json").write_text(bill(metadata, lock, target))
    (folder / "THIRD-PARTY.md").write_text(licences(metadata))
    print(f"{len(used(metadata)) - 1} crates; {folder}/octopus-mcp.cdx.json, {folder}/THIRD-PARTY.md")


if __name__ == "__main__":
    main()
