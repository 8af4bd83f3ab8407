"""Tests the Helm chart."""

import re
import shutil
import tempfile
import unittest
from pathlib import Path

import helm_python
import kubernetes_validate
import yaml

import render as plain
from chart import CHART, ROOT, documents, only, quiet, render, values, with_values

CASES = ("minimal", "plain", "full")
# The oldest supported version, and the newest version whose schemas are installed.
VERSIONS = ("1.30.0", "1.37.0")


def pod(found):
    return only(found, "Deployment")["spec"]["template"]["spec"]


def container(found):
    [one] = pod(found)["containers"]
    return one


def variables(found):
    return {one["name"]: one.get("value") for one in container(found)["env"]}


class Chart(unittest.TestCase):
    def test_lint_reports_nothing(self):
        for given in ({}, *map(values, CASES)):
            for version in VERSIONS:
                with quiet():
                    said = helm_python.lint(str(CHART), given, strict=True, kube_version=f"v{version}")
                # Severity 1 is information; 2 and 3 are warnings and errors.
                self.assertEqual(said["errors"], [])
                self.assertEqual([m for m in said["messages"] if m["severity"] != 1], [])

    def test_manifests_match_kubernetes_schemas(self):
        checked = 0
        for case in CASES:
            for document in documents(values(case)):
                if document["apiVersion"].startswith("monitoring.coreos.com/"):
                    continue
                for version in VERSIONS:
                    kubernetes_validate.validate(document, version, strict=True)
                    checked += 1
        self.assertGreater(checked, 40)

    def test_invalid_values_are_rejected_with_a_hint(self):
        least = values("minimal")
        refused = [
            ({}, "no Octopus instance is configured"),
            ({"octopus": {"url": "https://octopus.example.com"}}, "no host name is configured"),
            ({"octopus": {"url": "octopus.example.com"}}, "octopus/url"),
            ({"ingress": {"enabled": True}}, "trustedProxies={10.0.0.0/8}"),
            ({"ingress": {"enabled": True}, "config": "[http]\n# trusted_proxies = left out\n"}, "trustedProxies={10.0.0.0/8}"),
            ({"replica": 2}, "replica"),
            ({"hosts": ["https://mcp.example.com"]}, "hosts/0"),
            ({"image": {"digest": "sha256:abc"}}, "image/digest"),
            ({"ports": {"main": 80}}, "ports/main"),
            ({"env": {"OCTOPUS_API_KEY": "API-X"}}, "propertyName 'OCTOPUS_API_KEY'"),
            ({"env": {"OCTOPUS_MCP_TOOLS__SEAL_KEY": "x"}}, "propertyName"),
            ({"env": {"PATH": "/tmp"}}, "propertyName 'PATH'"),
            ({"config": '[octopus]\napi_key = "x"\n'}, "contains a secret"),
            ({"config": "[octopus]\nspace = 'API-ABCDEFGHIJKLMNOP'\n"}, "contains a secret"),
            ({"config": "[limits]\nstore = 'rediss://user:password@valkey:6379/0'\n"}, "contains a secret"),
            ({"config": "[audit]\nchain_key = 'x'\n"}, "contains a secret"),
            ({"secrets": {"env": [{"name": "OCTOPUS_API_KEY"}]}}, "secrets/env/0"),
            ({"autoscaling": {"enabled": True, "minReplicas": 9}}, "greater than"),
            ({"config": "[http]\nlisten = 0.0.0.0\n"}, "`config` is not valid TOML: line 2"),
            ({"config": "[audit]\n[audit]\n"}, "`config` is not valid TOML"),
        ]
        for changes, words in refused:
            with self.subTest(changes), self.assertRaises(helm_python.HelmError) as raised:
                render(with_values(least if "octopus" not in changes and changes else {}, **changes))
            self.assertIn(words, str(raised.exception))

    def test_ingress_requires_trusted_proxies(self):
        for given in ({"trustedProxies": ["10.0.0.0/8"]}, {"env": {"OCTOPUS_MCP_HTTP__TRUSTED_PROXIES": "10.0.0.0/8"}},
                      {"config": "[http]\ntrusted_proxies = ['10.0.0.0/8']\n"}):
            found = documents(with_values(values("minimal"), ingress={"enabled": True}, **given))
            self.assertEqual(len(only(found, "Ingress")["spec"]["rules"]), 1)

    def test_instance_and_hosts_in_the_file_are_enough(self):
        instances = "[instances.one]\nurl = 'https://octopus.example.com'\n"
        for config in (f"http.public_url = 'https://mcp.example.com'\n{instances}",
                       "http = { allowed_hosts = ['mcp.example.com'] }\noctopus.url = 'https://octopus.example.com'\n"):
            self.assertTrue(documents({"config": config}))

    def test_changes_require_audit_records(self):
        for changes in ({"env": {"OCTOPUS_MCP_TOOLS__READ_ONLY": False}, "config": ""},
                        {"env": {"OCTOPUS_MCP_TOOLS__READ_ONLY": "false", "OCTOPUS_MCP_AUDIT__STDOUT": False}},
                        {"config": "tools.read_only = false\n"}, {"config": "[tools]\nread_only=false # open\n[audit]\nstdout=false\n"}):
            given = with_values(values("minimal"), replicas=1, **changes)
            with self.subTest(changes), self.assertRaisesRegex(helm_python.HelmError, "no audit records are written: set audit.stdout"):
                render(given)
            for audit in ({"OCTOPUS_MCP_AUDIT__STDOUT": True}, {"OCTOPUS_MCP_AUDIT__FILE__PATH": "/var/lib/octopus-mcp/audit.jsonl"},
                          {"OCTOPUS_MCP_AUDIT__OTLP__ENDPOINT": "https://collector.example.com/v1/logs"}):
                render(with_values(given, env=audit))

    def test_changes_at_several_replicas_require_seal_key_and_store(self):
        key = {"name": "OCTOPUS_MCP_TOOLS__SEAL_KEY", "secret": "octopus-mcp", "key": "seal-key"}
        store = {"name": "OCTOPUS_MCP_LIMITS__STORE", "secret": "octopus-mcp", "key": "store"}
        writes = with_values(values("minimal"), env={"OCTOPUS_MCP_TOOLS__READ_ONLY": False})
        in_file = {"config": "[limits]\nstore = 'redis://valkey:6379'\n[audit]\nstdout = true\n"}
        scaled = {"replicas": 1, "autoscaling": {"enabled": True}}
        for several in ({}, {"replicas": 3}, scaled):
            for given, words in (([], "share no seal key"), ([store], "share no seal key"), ([key], "share no store")):
                with self.subTest(several=several, given=given), self.assertRaises(helm_python.HelmError) as raised:
                    render(with_values(writes, secrets={"env": given}, **several))
                self.assertIn(words, str(raised.exception))
            with self.assertRaisesRegex(helm_python.HelmError, "share no store"):
                render(with_values(writes, secrets={"env": [key]}, config="limits.store = 'memory'\naudit.stdout = true\n", **several))
            render(with_values(writes, secrets={"env": [key, store]}, **several))
            render(with_values(writes, secrets={"env": [key]}, **in_file, **several))
            # Without changes the replicas share nothing.
            render(with_values(values("minimal"), **several))
        for single in ({"replicas": 1}, {"autoscaling": {"enabled": True, "minReplicas": 1, "maxReplicas": 1}}):
            render(with_values(writes, **single))

    def test_commented_key_is_not_a_secret(self):
        render(with_values(values("minimal"), config="[octopus]\n# api_key = left out\n"))

    def test_values_match_their_schema(self):
        schema = yaml.safe_load((CHART / "values.schema.json").read_text())
        named = yaml.safe_load((CHART / "values.yaml").read_text())

        def compare(schema, named, where):
            known = set(schema.get("properties", {})) - {"global"}
            if schema.get("additionalProperties") is False and where != "/telemetry/otlpHeaders":
                self.assertEqual(known, set(named), where)
            for key in known & set(named):
                if isinstance(named[key], dict):
                    compare(schema["properties"][key], named[key], f"{where}/{key}")

        compare(schema, named, "")


class Readme(unittest.TestCase):
    """Tests the examples in the README of the chart."""

    text = (CHART / "README.md").read_text()

    def test_install_command_renders(self):
        flags = re.findall(r"--set (\S+)", self.text)
        self.assertGreater(len(flags), 4)
        found = documents(helm_python.parse_set_string(",".join(flags)))
        self.assertTrue(container(found)["image"].startswith("registry.example.com/octopus-mcp:"))
        [rule] = only(found, "Ingress")["spec"]["rules"]
        self.assertEqual(rule["host"], "mcp.example.com")

    def test_lists_every_setting_of_the_chart(self):
        given = with_values(values("full"), octopus={"url": "https://octopus.example.com"})
        given["env"], given["secrets"] = {}, {}
        ours = {name for name in variables(documents(given)) if name.startswith("OCTOPUS_")}
        part = re.search(r"which override the file:\n(.*?)\n\n", self.text, re.S)[1]
        told = {"OCTOPUS_MCP_" + name.replace(".", "__").upper() for name in re.findall(r"`([\w.]+)`", part)}
        self.assertEqual({name.replace("MCP_OCTOPUS__URL", "SERVER_URL") for name in told}, ours)

    def test_example_values_render(self):
        shown = re.findall(r"```yaml\n(.*?)```", self.text, re.S)
        self.assertEqual(len(shown), 1)
        found = documents({"hosts": ["mcp.example.com"], **yaml.safe_load(shown[0])})
        mounts = {mount["mountPath"] for mount in container(found)["volumeMounts"]}
        self.assertIn("/run/secrets/octopus-keys", mounts)


class Pods(unittest.TestCase):
    def test_meet_restricted_standard(self):
        allowed = {"configMap", "secret", "projected", "emptyDir", "csi", "downwardAPI", "persistentVolumeClaim"}
        for case in CASES:
            found = documents(values(case))
            spec, one = pod(found), container(found)
            self.assertEqual(set(spec) & {"hostNetwork", "hostPID", "hostIPC"}, set())
            self.assertTrue(all(set(v) - {"name"} <= allowed for v in spec["volumes"]))
            self.assertTrue(spec["securityContext"]["runAsNonRoot"])
            self.assertGreater(spec["securityContext"]["runAsUser"], 0)
            for secured in (every["securityContext"] for every in [one, *spec["initContainers"]]):
                self.assertFalse(secured["allowPrivilegeEscalation"])
                self.assertEqual(secured["capabilities"], {"drop": ["ALL"]})
                self.assertEqual(secured["seccompProfile"], {"type": "RuntimeDefault"})
            self.assertTrue(all("hostPort" not in port for port in one["ports"]))

    def test_settings_are_checked_with_the_servers_environment(self):
        for case in CASES:
            found = documents(values(case))
            server = container(found)
            [check] = pod(found)["initContainers"]
            for part in ("image", "imagePullPolicy", "env", "volumeMounts", "securityContext"):
                self.assertEqual(check[part], server[part])
            self.assertEqual(check["args"], ["config", *server["args"][1:]])

    def test_additional_mounts_reach_both_containers(self):
        mount = {"name": "audit", "mountPath": "/var/lib/octopus-mcp"}
        found = documents(with_values(values("minimal"), extraVolumeMounts=[mount], extraVolumes=[{"name": "audit", "emptyDir": {}}]))
        for one in (container(found), *pod(found)["initContainers"]):
            self.assertIn(mount, one["volumeMounts"])

    def test_have_no_writable_files_and_no_api_access(self):
        for case in CASES:
            found = documents(values(case))
            self.assertTrue(container(found)["securityContext"]["readOnlyRootFilesystem"])
            self.assertTrue(all(mount["readOnly"] for mount in container(found)["volumeMounts"]))
            self.assertIs(pod(found)["automountServiceAccountToken"], False)
            self.assertIs(only(found, "ServiceAccount")["automountServiceAccountToken"], False)

    def test_probes_use_the_admin_port(self):
        found = documents(values("full"))
        for probe, path in (("startup", "/readyz"), ("readiness", "/readyz"), ("liveness", "/healthz")):
            asked = container(found)[f"{probe}Probe"]["httpGet"]
            self.assertEqual(asked, {"path": path, "port": "admin"})
        [port] = only(found, "Service")["spec"]["ports"]
        self.assertEqual(port["targetPort"], "main")
        self.assertNotIn("admin", str(only(found, "Ingress")["spec"]))
        [monitored] = only(found, "ServiceMonitor")["spec"]["endpoints"]
        self.assertEqual((monitored["port"], monitored["path"]), ("admin", "/metrics"))

    def test_grace_period_exceeds_drain_time(self):
        for case in CASES:
            found = documents(values(case))
            pause = int(variables(found)["OCTOPUS_MCP_HTTP__DRAIN_PAUSE"].removesuffix("s"))
            drain = int(variables(found)["OCTOPUS_MCP_HTTP__DRAIN_TIMEOUT"].removesuffix("s"))
            self.assertGreater(pod(found)["terminationGracePeriodSeconds"], pause + drain)

    def test_rollout_starts_new_pods_first(self):
        rolling = only(documents(values("minimal")), "Deployment")["spec"]["strategy"]["rollingUpdate"]
        self.assertEqual(rolling["maxUnavailable"], 0)

    def test_restart_when_settings_change(self):
        def annotation(given):
            template = only(documents(given), "Deployment")["spec"]["template"]
            return template["metadata"]["annotations"]["checksum/config"]

        least = values("minimal")
        other = with_values(least, config="[auth]\nmode = 'octopus'\n")
        self.assertNotEqual(annotation(least), annotation(other))
        self.assertEqual(annotation(least), annotation(with_values(least, replicas=5)))

    def test_spread_over_nodes_and_zones(self):
        keys = [c["topologyKey"] for c in pod(documents(values("minimal")))["topologySpreadConstraints"]]
        self.assertEqual(keys, ["kubernetes.io/hostname", "topology.kubernetes.io/zone"])

    def test_use_image_digest_if_set(self):
        self.assertTrue(container(documents(values("full")))["image"].endswith("@sha256:" + "0" * 64))


class Cluster(unittest.TestCase):
    def test_references_secrets_and_creates_none(self):
        found = documents(values("full"))
        self.assertNotIn("Secret", {d["kind"] for d in found})
        by_reference = {e["name"] for e in container(found)["env"] if "secretKeyRef" in e.get("valueFrom", {})}
        wanted = {"OCTOPUS_MCP_TOOLS__SEAL_KEY", "OCTOPUS_MCP_LIMITS__STORE", "OTEL_EXPORTER_OTLP_HEADERS"}
        self.assertEqual(by_reference, wanted)
        mounted = {v["secret"]["secretName"] for v in pod(found)["volumes"] if "secret" in v}
        self.assertEqual(mounted, {"octopus-keys", "octopus-mcp-pod-tls", "client-ca"})

    def test_network_policy_allows_listed_peers_only(self):
        spec = only(documents(values("full")), "NetworkPolicy")["spec"]
        self.assertEqual(spec["policyTypes"], ["Ingress", "Egress"])
        self.assertTrue(all("from" in rule for rule in spec["ingress"]))
        self.assertTrue(all("to" in rule and "ports" in rule for rule in spec["egress"]))
        blocks = [to["ipBlock"] for rule in spec["egress"] for to in rule["to"] if "ipBlock" in to]
        self.assertIn({"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}, blocks)

    def test_autoscaled_deployment_sets_no_replicas(self):
        self.assertNotIn("replicas", only(documents(values("plain")), "Deployment")["spec"])
        self.assertEqual(only(documents(values("minimal")), "Deployment")["spec"]["replicas"], 2)

    def test_ingress_does_not_buffer_streams(self):
        annotations = only(documents(values("plain")), "Ingress")["metadata"]["annotations"]
        self.assertEqual(annotations["nginx.ingress.kubernetes.io/proxy-buffering"], "off")

    def test_selectors_match_pod_labels(self):
        found = documents(values("full"))
        labels = only(found, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
        for kind, name in (("Service", "octopus-mcp"), ("Service", "octopus-mcp-admin")):
            self.assertLessEqual(only(found, kind, name)["spec"]["selector"].items(), labels)
        for kind in ("Deployment", "PodDisruptionBudget"):
            self.assertLessEqual(only(found, kind)["spec"]["selector"]["matchLabels"].items(), labels)
        admin = only(found, "Service", "octopus-mcp-admin")["metadata"]["labels"].items()
        monitored = only(found, "ServiceMonitor")["spec"]["selector"]["matchLabels"]
        self.assertLessEqual(monitored.items(), admin)

    def test_rules_and_dashboard_are_unchanged(self):
        rules = "groups:\n  - name: up\n    rules:\n      - alert: Down\n        expr: up == 0\n" \
            "        annotations:\n          summary: '{{ $labels.instance }} is down'\n"
        on = {"prometheusRule": {"enabled": True}, "dashboard": {"enabled": True}}
        with tempfile.TemporaryDirectory() as folder:
            copy = shutil.copytree(CHART, Path(folder) / "octopus-mcp")
            shutil.rmtree(copy / "files", ignore_errors=True)
            with self.assertRaisesRegex(helm_python.HelmError, "deploy/render"):
                render(with_values(values("minimal"), **on), copy)
            (copy / "files").mkdir()
            (copy / "files/alerts.yaml").write_text(rules)
            (copy / "files/dashboard.json").write_text('{"title": "octopus-mcp"}\n')
            found = documents(with_values(values("minimal"), **on), copy)
        self.assertEqual(only(found, "PrometheusRule")["spec"], yaml.safe_load(rules))
        dashboard = only(found, "ConfigMap", "octopus-mcp-dashboard")
        self.assertEqual(dashboard["data"], {"octopus-mcp.json": '{"title": "octopus-mcp"}\n'})

    def test_rendered_manifests_are_current(self):
        write, remove = plain.stale()
        changed = [str(path.relative_to(ROOT)) for path in [*write, *remove]]
        self.assertEqual(changed, [], "run deploy/render and review the changes")


if __name__ == "__main__":
    unittest.main()
