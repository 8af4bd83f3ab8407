"""Runs the queries of the dashboard in a Prometheus that scrapes a running server."""

import json
import math
import os
import re
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

import dashboard
from chart import ROOT
from compose import DEPLOY
from test_settings import BINARY

DEBIAN = ROOT / "tests/.debian/prometheus/usr/bin/prometheus"
# Set by tests/run. Debian's package contains it with promtool.
PROMETHEUS = os.environ.get("PROMETHEUS", str(DEBIAN))
# Maximum duration of a step, in seconds.
PATIENCE = 40
READY = r'msg="Listening on" address=(\S+)(?s:.*)ready to receive web requests'
# Variables that Grafana replaces, for a scrape interval of one second. Longer names come first.
GRAFANA = {"$__rate_interval_ms": "60000", "$__rate_interval": "1m", "$__range": "1h", "$job": ".*", "$octopus": ".*",
           "$tool": ".*"}
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# Panels without data if there were no events.
MEASURE = {"MCP error rate", "Tool error rate", "Tool call latency (p95)", "MCP latency by method",
           "Tool call latency by tool", "Answer size"}


def get(url, data=None, **headers):
    request = urllib.request.Request(url, data, headers)
    with OPENER.open(request, timeout=PATIENCE) as answer:
        return json.load(answer)


def free():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def settings(admin):
    """Returns the settings of compose, without names of Docker and with short intervals."""
    given = yaml.safe_load((DEPLOY / "compose/prometheus.yaml").read_text())
    [ours] = [job for job in given["scrape_configs"] if job["job_name"] == "octopus-mcp"]
    del ours["dns_sd_configs"]
    ours["static_configs"] = [{"targets": [f"127.0.0.1:{admin}"]}]
    rules = [file.replace("/etc/prometheus/rules/", f"{DEPLOY}/observability/") for file in given["rule_files"]]
    often = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    return {**given, "global": often, "rule_files": rules, "scrape_configs": [ours]}


class Dashboard(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        admin = free()
        environment = {"OCTOPUS_MCP_HTTP__ADMIN_LISTEN": f"127.0.0.1:{admin}"}
        serve = [BINARY, "serve", "--sample", "--listen", "127.0.0.1:0"]
        self.mcp = self.start("server", serve, r"octopus-mcp serves (\S+)", environment)
        (self.folder / "prometheus.yaml").write_text(json.dumps(settings(admin)))
        command = [PROMETHEUS, f"--config.file={self.folder}/prometheus.yaml", f"--storage.tsdb.path={self.folder}/data",
                   "--web.listen-address=127.0.0.1:0"]
        self.prometheus = "http://" + self.start("prometheus", command, READY, {})
        self.until(lambda: self.ask("count_over_time(octopus_mcp_build[1h]) > 2"))

    def start(self, name, command, said, environment):
        """Starts a program and returns the address it prints."""
        log = self.folder / name
        with log.open("w") as out:
            program = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
        self.addCleanup(program.wait, PATIENCE)
        self.addCleanup(program.terminate)

        def listens():
            self.assertIsNone(program.poll(), log.read_text())
            return re.search(said, log.read_text())

        return self.until(listens)[1]

    def until(self, happens):
        """Calls a function until it returns a result."""
        end = time.monotonic() + PATIENCE
        while not (came := happens()):
            self.assertLess(time.monotonic(), end, "in time")
            time.sleep(0.1)
        return came

    def ask(self, query):
        """Returns the numeric values of a query by labels."""
        for name, value in GRAFANA.items():
            query = query.replace(name, value)
        found = get(f"{self.prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}")["data"]["result"]
        values = {" ".join(sorted(s["metric"].values())): float(s["value"][1]) for s in found}
        return {labels: value for labels, value in values.items() if not math.isnan(value)}

    def shown(self):
        """Returns the values of each panel by title."""
        titles = {}
        for panel in dashboard.panels():
            for target in panel.get("targets", []):
                titles.setdefault(panel["title"], {}).update(self.ask(target["expr"]))
        return titles

    def call(self, method, **params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        return get(self.mcp, body, **{"Content-Type": "application/json", "MCP-Protocol-Version": "2025-11-25"})

    def test_idle_server_has_zeros(self):
        shown = self.shown()
        self.assertEqual({title for title, values in shown.items() if not values}, MEASURE)
        for title in ("HTTP request rate", "MCP errors by method", "Requests rejected by limits", "Changes", "Active requests"):
            self.assertEqual(set(shown[title].values()), {0}, title)

    def test_counts_the_first_event(self):
        missing = {"method": "GET", "path": "/api/Spaces-1/projects/Projects-99999"}
        self.assertTrue(self.call("tools/call", name="execute", arguments=missing)["result"]["isError"])
        self.assertFalse(self.call("tools/call", name="list_spaces", arguments={})["result"]["isError"])
        self.until(lambda: self.ask('mcp_server_operation_duration_seconds_count{gen_ai_tool_name="list_spaces"}'))
        shown = self.shown()
        self.assertEqual([title for title, values in shown.items() if not values], [])
        self.assertEqual(shown["MCP errors by method"], {"tool_error tools/call": 1})
        self.assertEqual(shown["Tool errors by tool"], {"execute": 1})
        self.assertEqual(shown["Tool error rate"], {"": 0.5})
        self.assertEqual(shown["MCP error rate"], {"": 0})
        self.assertEqual(shown["HTTP requests by status"], {"200": 2})
        self.assertEqual(shown["HTTP request rate"], {"": 2 / 60})
        self.assertEqual(shown["Octopus requests by outcome"]["4xx default"], 1)

    def test_is_empty_without_a_server(self):
        """Zeros would suggest a healthy server."""
        for title in ("HTTP request rate", "MCP error rate", "MCP errors by method", "Requests rejected by limits",
                      "Active requests"):
            [panel] = [panel for panel in dashboard.panels() if panel["title"] == title]
            query = panel["targets"][0]["expr"].replace("$job", "another")
            self.assertEqual(self.ask(query), {}, title)


    def test_documented_queries_and_rules_work(self):
        """Runs the commands of docs/operations.md without `docker compose exec prometheus`."""
        [command] = re.findall(r"exec prometheus (promtool .*)", (ROOT / "docs/operations.md").read_text())
        command = command.replace("http://127.0.0.1:9090", self.prometheus).split()
        promtool = Path(PROMETHEUS).with_name(command[0])
        said = subprocess.run([promtool, *command[1:]], capture_output=True, text=True, timeout=PATIENCE, check=True)
        self.assertIn('octopus_mcp_build{', said.stdout)

        def evaluated():
            groups = get(f"{self.prometheus}/api/v1/rules")["data"]["groups"]
            rules = [rule for group in groups for rule in group["rules"]]
            return all(rule["health"] != "unknown" for rule in rules) and rules

        rules = self.until(evaluated)
        self.assertGreater(len(rules), 15)
        # All rules are valid, and none fires for an idle server.
        self.assertEqual({(rule["health"], rule["state"]) for rule in rules}, {("ok", "inactive")})


if __name__ == "__main__":
    unittest.main()
