"""Tests deploy/compose.yaml."""

import re
import unittest
from pathlib import Path

import yaml

from chart import ROOT
from compose import DEPLOY, FILE, VARIABLE, example, load, text_with, variables

LEAST = {"OCTOPUS_SERVER_URL": "https://octopus.example.com", "MCP_HOST": "mcp.example.com"}


class Compose(unittest.TestCase):
    def setUp(self):
        self.file = load(LEAST)
        self.services = self.file["services"]

    def test_services_are_hardened_and_limited(self):
        for name, service in self.services.items():
            with self.subTest(name):
                self.assertIs(service["read_only"], True)
                self.assertEqual(service["cap_drop"], ["ALL"])
                self.assertEqual(service["security_opt"], ["no-new-privileges:true"])
                self.assertEqual(set(service["deploy"]["resources"]["limits"]), {"cpus", "memory", "pids"})
                self.assertEqual(service.get("cap_add", []), ["NET_BIND_SERVICE"] if name == "caddy" else [])
                self.assertNotIn("privileged", service)

    def test_services_have_health_checks(self):
        silent = {n for n, s in self.services.items() if "test" not in s["healthcheck"]}
        # The image of the collector contains no program for a health check.
        self.assertEqual(silent, {"otelcol"})

    def test_only_caddy_is_published(self):
        published = {n: s["ports"] for n, s in self.services.items() if "ports" in s}
        self.assertEqual(set(published), {"caddy", "grafana"})
        self.assertTrue(all(port.startswith("127.0.0.1:") for port in published["grafana"]))
        # Every container on this network is trusted as a proxy.
        self.assertEqual(self.on("front"), {"server", "caddy"})

    def on(self, network):
        return {name for name, service in self.services.items() if network in service["networks"]}

    def test_only_listed_services_have_outgoing_access(self):
        closed = {name for name, network in self.file["networks"].items() if (network or {}).get("internal")}
        self.assertEqual(closed, {"back"})
        out = {name for name, service in self.services.items() if set(service["networks"]) - closed}
        # Octopus, certificates, traces and alerts. Grafana publishes a port, which internal networks do not support.
        self.assertEqual(out, {"server", "caddy", "otelcol", "prometheus", "grafana"})
        self.assertEqual(self.on("out"), {"otelcol", "prometheus"})
        self.assertEqual(self.on("screen"), {"grafana"})

    def test_audit_file_has_a_volume_and_one_writer(self):
        server = self.services["server"]
        path = server["environment"]["OCTOPUS_MCP_AUDIT__FILE__PATH"]
        mounts = dict(reversed(mount.split(":")[:2]) for mount in server["volumes"])
        self.assertIn(mounts[str(Path(path).parent)], self.file["volumes"])
        # Several replicas share the volume.
        several = variables(load({**LEAST, "AUDIT_FILE": "", "AUDIT_STDOUT": "true"})["services"]["server"])
        self.assertEqual(several["OCTOPUS_MCP_AUDIT__FILE__PATH"], "")
        self.assertEqual(several["OCTOPUS_MCP_AUDIT__STDOUT"], "true")

    def test_caddy_waits_longer_than_a_server_stop(self):
        caddyfile = (DEPLOY / "compose/Caddyfile").read_text()
        waits = int(re.search(r"^\s*lb_try_duration (\d+)s$", caddyfile, re.M)[1])
        self.assertGreater(waits, int(self.services["server"]["stop_grace_period"].removesuffix("s")))
        # The usual client timeout is one minute.
        self.assertLess(waits, 60)

    def test_server_trusts_caddy(self):
        for given in (LEAST, {**LEAST, "FRONT_SUBNET": "10.9.8.0/24"}):
            file = load(given)
            trusted = file["services"]["server"]["environment"]["OCTOPUS_MCP_HTTP__TRUSTED_PROXIES"]
            self.assertEqual([{"subnet": trusted}], file["networks"]["front"]["ipam"]["config"])

    def test_mounted_files_exist(self):
        for service in self.services.values():
            for mount in service.get("volumes", []):
                source, _, how = mount.partition(":")
                if source.startswith("."):
                    self.assertTrue((DEPLOY / source).exists(), source)
                    self.assertTrue(how.endswith(":ro"), mount)
                else:
                    self.assertIn(source, self.file["volumes"])

    def test_git_ignores_secret_files(self):
        for secret in self.file["secrets"].values():
            self.assertTrue(secret["file"].startswith("./secrets/"))
        ignored = (ROOT / ".gitignore").read_text().splitlines()
        self.assertLessEqual({"/deploy/secrets/", "/deploy/.env"}, set(ignored))

    def test_example_lists_variables_with_defaults(self):
        defaults = {name: rest for name, kind, rest in VARIABLE.findall(FILE.read_text()) if kind in (":-", "-")}
        given = example()
        self.assertEqual(set(given), {name for name, *_ in VARIABLE.findall(FILE.read_text())})
        for name, default in defaults.items():
            self.assertEqual(given[name], default, name)

    def test_missing_instance_is_an_error(self):
        for missing in LEAST:
            with self.assertRaisesRegex(KeyError, missing):
                text_with({k: v for k, v in LEAST.items() if k != missing})

    def test_images_have_versions(self):
        for service in self.services.values():
            self.assertRegex(service["image"], r":(local|v?\d+\.\d+\.\d+(-alpine)?)$")

    def test_stop_timeout_exceeds_drain_time(self):
        toml = (DEPLOY / "compose/octopus-mcp.toml").read_text()
        drain = int(re.search(r'^drain_timeout = "(\d+)s"', toml, re.M)[1])
        self.assertGreater(int(self.services["server"]["stop_grace_period"].removesuffix("s")), drain)

    def test_prometheus_scrapes_the_admin_listener(self):
        toml = (DEPLOY / "compose/octopus-mcp.toml").read_text()
        port = int(re.search(r'^admin_listen = "0\.0\.0\.0:(\d+)"', toml, re.M)[1])
        jobs = yaml.safe_load((DEPLOY / "compose/prometheus.yaml").read_text())["scrape_configs"]
        [server] = [job for job in jobs if job["job_name"] == "octopus-mcp"]
        self.assertEqual(server["dns_sd_configs"][0]["names"], ["server"])
        self.assertEqual(server["dns_sd_configs"][0]["port"], port)

    def test_grafana_uses_the_prometheus_service(self):
        folder = DEPLOY / "compose/grafana/provisioning"
        [source] = yaml.safe_load((folder / "datasources/prometheus.yaml").read_text())["datasources"]
        self.assertEqual(source["url"], "http://prometheus:9090")
        [provider] = yaml.safe_load((folder / "dashboards/octopus-mcp.yaml").read_text())["providers"]
        mounts = [m.split(":") for m in self.services["grafana"]["volumes"]]
        self.assertIn(["./observability", provider["options"]["path"], "ro"], mounts)

    def test_traces_go_to_the_collector_service(self):
        collector = yaml.safe_load((DEPLOY / "compose/otelcol.yaml").read_text())
        listening = collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
        sent = self.services["server"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"]
        self.assertEqual(sent, f"http://otelcol:{listening.rpartition(':')[2]}")
        for pipeline in collector["service"]["pipelines"].values():
            for kind in ("receivers", "processors", "exporters"):
                self.assertLessEqual(set(pipeline[kind]), set(collector[kind]))


if __name__ == "__main__":
    unittest.main()
