"""deploy/render: writes the files that are generated from the chart, and copies files into the chart."""

import re
import sys

import dashboard
from chart import CHART, ROOT, render, values

PLAIN = ROOT / "deploy/kubernetes"
OBSERVABILITY = ROOT / "deploy/observability"
# Labels of chart packages, which plain manifests do not have.
HELM_LABELS = re.compile(r"^ +(app\.kubernetes\.io/managed-by|helm\.sh/chart): .*\n", re.M)

HEAD = "# Generated from deploy/helm/octopus-mcp by deploy/render; do not edit.\n"
NAMESPACE = """apiVersion: v1
kind: Namespace
metadata:
  name: octopus-mcp
  labels:
    # The strictest pod security standard of Kubernetes.
    pod-security.kubernetes.io/enforce: restricted
"""
KUSTOMIZATION = """# Adapt the names below, then run: kubectl apply --kustomize deploy/kubernetes
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: octopus-mcp
resources:
"""


def wanted():
    """Returns every generated file with its text."""
    files = {}
    for name, text in render(values("plain")).items():
        text = HELM_LABELS.sub("", text).strip()
        if name.endswith(".yaml") and text:
            files[PLAIN / name] = f"{HEAD}{text}\n"
    files[PLAIN / "namespace.yaml"] = HEAD + NAMESPACE
    resources = "".join(f"  - {path.name}\n" for path in sorted(files))
    files[PLAIN / "kustomization.yaml"] = HEAD + KUSTOMIZATION + resources
    shown = dashboard.text()
    files[OBSERVABILITY / "dashboard.json"] = files[CHART / "files/dashboard.json"] = shown
    files[CHART / "files/alerts.yaml"] = (OBSERVABILITY / "alerts.yaml").read_text()
    return files


def stale():
    """Returns the files to write, with their text, and the files to remove."""
    files = wanted()
    there = set(PLAIN.glob("*")) | set((CHART / "files").glob("*"))
    write = {p: t for p, t in files.items() if not p.exists() or p.read_text() != t}
    return write, sorted(there - set(files))


def main():
    """Writes the files, or with --check lists what would be written."""
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit("deploy/render: expected no argument, or --check")
    write, remove = stale()
    for path in [*write, *remove]:
        print(("stale: " if check else "") + str(path.relative_to(ROOT)))
    if check:
        sys.exit("run deploy/render" if write or remove else 0)
    # The chart's own copies are not rendered into plain manifests, so one pass is enough.
    for path, text in write.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    for path in remove:
        path.unlink()


if __name__ == "__main__":
    main()
