"""Generates the dashboard of deploy/observability from the tables below; deploy/render writes it."""

import json

SOURCE = {"type": "prometheus", "uid": "prometheus"}
# Label matchers for the selected jobs, Octopus instances and tools.
JOB = 'job=~"$job"'
OCTOPUS = f'{JOB}, octopus_instance=~"$octopus"'
CALLS = f'{JOB}, mcp_method_name="tools/call", gen_ai_tool_name=~"$tool"'
TOOL = f'{JOB}, tool=~"$tool"'
INTERNAL_ERRORS = f'{JOB}, error_type="-32603"'
TOOL_ERRORS = f'{CALLS}, error_type="tool_error"'
CACHE_HITS = f'{JOB}, result="hit"'
WIDTH, HEIGHT = 24, 8

HTTP = "http_server_request_duration_seconds"
MCP = "mcp_server_operation_duration_seconds"
UPSTREAM_HTTP = "http_client_request_duration_seconds"
UPSTREAM = "octopus_mcp_upstream_requests_total"
FAILED = 'outcome=~"5xx|timeout|connect|broken|busy|paused"'


# 0 without labels while Prometheus scrapes a replica; no data otherwise.
ZERO = f"0 * count(octopus_mcp_build{{{JOB}}})"
# Text of a panel without values.
NO_DATA = "no data in this time range"
# Explains the bars of a panel.
BAR = "Each bar is the number in the preceding minute, or in a longer interval for long time ranges."
STEP, SHOWN = "$__rate_interval", "$__range"


def count_events(metric, labels=JOB, within=STEP):
    """Counts events within a time. A series starts with its first event, which increase() does not count."""
    of = f"{metric}{{{labels}}}"
    return f"{of} unless {of} offset {within} or increase({of}[{within}])"


def rate(metric, labels=JOB):
    """Counts events per second."""
    return f"1000 / {STEP}_ms * ({count_events(metric, labels)})"


def by(labels, what):
    return f"sum by ({labels}) ({what})"


def or_zero(query, labels=""):
    """Returns the query, or a series `none` with the value 0 if it has no result."""
    if not labels:
        return f"{query} or {ZERO}"
    named = ZERO
    for label in labels.split(", "):
        named = f'label_replace({named}, "{label}", "none", "", "")'
    return f"{query} or on () {named}"


def share(some, all_of, labels="", within=STEP):
    """Returns the ratio of some events to all: 0 without matching events, no data without any events."""
    group = f"sum by ({labels})" if labels else "sum"
    total = f"{group} ({count_events(*all_of, within=within)})"
    return f"({group} ({count_events(*some, within=within)}) or 0 * {total}) / ({total} > 0)"


def quantile(part, labels, metric, given=JOB, within=STEP):
    """Returns a quantile of a histogram by labels."""
    beside = f", {labels}" if labels else ""
    return f"histogram_quantile({part}, sum by (le{beside}) ({count_events(metric + '_bucket', given, within)}))"


def legend(labels):
    return " ".join(f"{{{{{label.strip()}}}}}" for label in labels.split(","))


def rates(labels, metric, given=JOB):
    """Returns a query for frequent events: the rate by labels."""
    return [(or_zero(by(labels, rate(metric, given)), labels), legend(labels))]


def counts(labels, metric, given=JOB):
    """Returns a query for rare events: the number by labels, including the first event."""
    return [(or_zero(by(labels, count_events(metric, given)), labels), legend(labels))]


def quantiles(labels, metric, given=JOB):
    return [(quantile(part, labels, metric, given), f"{name} {legend(labels)}")
            for part, name in ((0.5, "p50"), (0.95, "p95"))]


def each(metric):
    """Returns the value of each replica, or 0 for replicas that do not export the metric."""
    return f"sum by (instance) ({metric}{{{JOB}}}) or sum by (instance) (0 * octopus_mcp_build{{{JOB}}})"


# Each panel: title, description, unit, queries with legends; optional: panel type and width.
ROWS = {
    "Traffic": [
        ("Replicas", "Replicas that Prometheus scrapes, by version.", "short",
         [(f"count by (version) (octopus_mcp_build{{{JOB}}})", "{{version}}")], "stat", 4),
        ("HTTP request rate", "Current HTTP requests per second, without probes.", "reqps",
         [(or_zero(f"sum({rate(HTTP + '_count')})"), "")], "stat", 5),
        ("MCP error rate", "Ratio of MCP requests in the time range that ended in an internal error: a timeout, or a failure "
         "of the server or an upstream. Tool errors are not included.", "percentunit",
         [(share((MCP + "_count", INTERNAL_ERRORS), (MCP + "_count",), within=SHOWN), "")], "stat", 5),
        ("Tool error rate", "Ratio of tool calls in the time range that ended in a tool error: invalid arguments, a rejected "
         "call, or a failure of Octopus.", "percentunit",
         [(share((MCP + "_count", TOOL_ERRORS), (MCP + "_count", CALLS), within=SHOWN), "")], "stat", 5),
        ("Tool call latency (p95)", "95 % of the tool calls in the time range were faster.", "s",
         [(quantile(0.95, "", MCP, CALLS, SHOWN), "")], "stat", 5),
        ("HTTP requests by status", "HTTP responses by status. Limits return 200 or 429, and 503 if the server is at "
         "capacity. `cancelled` has no status, because the client gave up first.", "short",
         counts("http_response_status_code, error_type", HTTP + "_count"), "bars"),
        ("HTTP requests by route", "HTTP requests by method and route.", "reqps",
         rates("http_request_method, http_route", HTTP + "_count")),
        ("Active requests", "Active HTTP requests by replica. `limits.concurrent_requests` is the maximum.", "short",
         [(each("http_server_active_requests"), "{{instance}}")]),
        ("MCP requests by method", "MCP requests and notifications by method.", "reqps", rates("mcp_method_name", MCP + "_count")),
        ("MCP errors by method", "Failed MCP requests by method and error: the error code, `tool_error`, or `cancelled` if the "
         "client gave up.", "short",
         counts("mcp_method_name, error_type", MCP + "_count", JOB + ', error_type!=""'), "bars"),
        ("MCP latency by method", "Duration of MCP requests by method.", "s", quantiles("mcp_method_name", MCP)),
        ("Tool calls by tool", "Tool calls by tool.", "reqps", rates("gen_ai_tool_name", MCP + "_count", CALLS)),
        ("Tool errors by tool", "Tool calls that ended in a tool error.", "short",
         counts("gen_ai_tool_name", MCP + "_count", TOOL_ERRORS), "bars"),
        ("Tool call latency by tool", "Duration of tool calls by tool.", "s", quantiles("gen_ai_tool_name", MCP, CALLS)),
        ("Answer size", "Size of answers as JSON, before and after truncation to `tools.answer_bytes`.", "bytes",
         quantiles("stage", "octopus_mcp_answer_size_bytes", TOOL)),
        ("Protocol revisions and transports", "MCP requests by protocol revision and transport.", "reqps",
         rates("mcp_protocol_version, network_transport", MCP + "_count")),
        ("Prompts", "Prompts that were requested.", "short",
         counts("gen_ai_prompt_name", MCP + "_count", JOB + ', gen_ai_prompt_name!=""'), "bars"),
    ],
    "Octopus": [
        ("Paused instances", "1 while calls to an instance are rejected because it does not respond. Failures of a single "
         "caller pause the instance only for that caller: then the value stays 0, and the outcomes contain `paused`.", "short",
         [(f"max by (octopus_instance) (octopus_mcp_instance_paused{{{OCTOPUS}}})", "{{octopus_instance}}")]),
        ("Octopus requests by instance", "Requests to Octopus by instance.", "reqps", rates("octopus_instance", UPSTREAM, OCTOPUS)),
        ("Octopus requests by outcome", "The status class; or the reason for a missing response: `timeout`, `connect`, "
         "`broken`, or `given_up` by the client; or the reason why nothing was sent: `paused`, `busy`, `invalid`.", "short",
         counts("octopus_instance, outcome", UPSTREAM, OCTOPUS), "bars"),
        ("Octopus error rate", "Ratio of requests to Octopus that failed with 5xx or without a response.", "percentunit",
         [(share((UPSTREAM, OCTOPUS + ", " + FAILED), (UPSTREAM, OCTOPUS), "octopus_instance"),
           "{{octopus_instance}}")]),
        ("Top 10 routes by request rate", "Routes of the Octopus API, without IDs and names.", "reqps",
         [(f"topk(10, {by('route', rate(UPSTREAM, OCTOPUS))})", "{{route}}")]),
        ("Upstream responses by status", "Responses by host and HTTP status.", "short",
         counts("server_address, http_response_status_code", UPSTREAM_HTTP + "_count", JOB + ', http_response_status_code!=""'),
         "bars"),
        ("Octopus latency by host", "Time until the response head, by host.", "s", quantiles("server_address", UPSTREAM_HTTP)),
        ("Top 10 routes by latency", "95 % of the requests are faster (p95), by method and route.", "s",
         [(f"topk(10, {quantile(0.95, 'http_request_method, url_template', UPSTREAM_HTTP)})",
           "{{http_request_method}} {{url_template}}")]),
        ("Cache hit rate", "Ratio of lookups that needed no request to Octopus, by cache.", "percentunit",
         [(share(("octopus_mcp_cache_lookups_total", CACHE_HITS), ("octopus_mcp_cache_lookups_total",), "cache"), "{{cache}}")]),
    ],
    "Governance": [
        ("Policy decisions", "Policy decisions by effect and rule. The rule is empty if none matched.",
         "short", counts("effect, rule", "octopus_mcp_policy_decisions_total"), "bars"),
        ("Approvals", "Approval requests by outcome and approval method.", "short",
         counts("outcome, way", "octopus_mcp_confirmations_total"), "bars"),
        ("Changes", "Changes sent to Octopus, by tool and result.", "short",
         counts("tool, result", "octopus_mcp_changes_total", TOOL), "bars"),
        ("Requests rejected by limits", "Requests rejected by a rate or concurrency limit, by limit.", "short",
         counts("limit", "octopus_mcp_rate_limited_total"), "bars"),
        ("Authentication failures", "Requests that failed authentication.", "short",
         [(or_zero(f"sum({count_events('octopus_mcp_authentication_failures_total')})"), "requests")], "bars"),
        ("Redactions", "Redacted secrets and removed invisible characters, by kind.", "short",
         counts("kind", "octopus_mcp_redactions_total"), "bars"),
        ("Audit failures", "Audit records lost because the queue was full, and failed writes to a sink, since the start of "
         "each replica. Values other than 0 need attention.", "short",
         [(f"sum by (instance) (octopus_mcp_audit_lost_total{{{JOB}}})", "lost {{instance}}"),
          (f"sum by (instance) (octopus_mcp_audit_failures_total{{{JOB}}})", "failures {{instance}}")]),
    ],
    "Server": [
        ("Days until credentials expire", "Configured credentials, if Octopus reports their expiry.", "d",
         [(f"min by (octopus_instance, credential) (octopus_mcp_credential_remaining_days{{{OCTOPUS}}})",
           "{{octopus_instance}} {{credential}}")], "bargauge"),
        ("Sessions", "Open sessions of clients with earlier protocol revisions, if `http.sessions` is on.", "short",
         [(each("octopus_mcp_sessions"), "{{instance}}")]),
        ("Memory for large responses", "Memory reserved for large responses of Octopus, limited by `limits.bytes_in_flight`.", "bytes",
         [(each("octopus_mcp_memory_reserved_bytes"), "{{instance}}")]),
        ("Responses rejected for lack of memory", "Large responses that got no memory in time.", "short",
         counts("instance", "octopus_mcp_memory_refusals_total"), "bars"),
        ("Shared store unavailable", "1 while the shared store does not respond and the replica counts on its own.", "short",
         [(f"max by (instance) (octopus_mcp_store_away{{{JOB}}})", "{{instance}}")]),
        ("Shared store failures", "Failed requests to the shared store.", "short",
         counts("instance", "octopus_mcp_store_failures_total"), "bars"),
        ("Configuration reloads", "Reloads since the start of each replica, by result.", "short",
         [(or_zero(f"sum by (instance, result) (octopus_mcp_config_reloads_total{{{JOB}}})", "instance, result"),
           "{{instance}} {{result}}")]),
        ("Versions", "Replicas by version.", "short",
         [(f"count by (version) (octopus_mcp_build{{{JOB}}})", "{{version}}")]),
    ],
}

# Name, display label, metric and label of the values.
VARIABLES = [
    ("job", "Job", "octopus_mcp_build", "job"),
    ("octopus", "Octopus instance", "octopus_mcp_instance_paused", "octopus_instance"),
    ("tool", "Tool", MCP + "_count", "gen_ai_tool_name"),
]


def variable(name, label, metric, of):
    query = f"label_values({metric}, {of})" if name == "job" else f"label_values({metric}{{{JOB}}}, {of})"
    return {
        "name": name, "label": label, "type": "query", "datasource": SOURCE, "definition": query,
        "query": {"qryType": 1, "query": query, "refId": name}, "refresh": 2, "sort": 1, "multi": True,
        "includeAll": True, "allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]},
    }


def panel(number, at, title, description, unit, queries, kind="timeseries", width=8):
    bars, defaults = kind == "bars", {"unit": unit, "min": 0, "color": {"mode": "palette-classic"}, "noValue": NO_DATA}
    kind = "timeseries" if bars else kind
    # A stat panel shows one value, so it needs an instant query.
    how = {"instant": True} if kind == "stat" else {"range": True}
    description += f" {BAR}" if bars else ""
    targets = [
        {"refId": chr(65 + n), "datasource": SOURCE, "expr": expr, "legendFormat": name or title, **how}
        for n, (expr, name) in enumerate(queries)
    ]
    result = {
        "id": number, "type": kind, "title": title, "description": description, "datasource": SOURCE, "targets": targets,
        "gridPos": {"h": 4 if kind == "stat" else HEIGHT, "w": width, **at},
        "fieldConfig": {"defaults": defaults, "overrides": []},
    }
    if kind == "timeseries":
        result["options"] = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
        if bars:
            result["interval"] = "1m"
            defaults |= {"decimals": 0, "custom": {"drawStyle": "bars", "fillOpacity": 60}}
    elif kind == "bargauge":
        # Expired credentials have negative values.
        del defaults["min"]
        steps = [("red", None), ("orange", 3), ("green", 14)]
        defaults |= {
            "color": {"mode": "thresholds"}, "noValue": "no configured credential has a known expiry",
            "thresholds": {"mode": "absolute", "steps": [{"color": c, "value": v} for c, v in steps]},
        }
        result["options"] = {"orientation": "horizontal", "reduceOptions": {"calcs": ["lastNotNull"]}}
    else:
        result["options"] = {"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "auto"}
    return result


def panels():
    """Returns the rows from top to bottom, each followed by its panels from left to right."""
    result, y = [], 0
    for row, content in ROWS.items():
        result.append({"id": len(result) + 1, "type": "row", "title": row, "collapsed": False, "panels": [],
                     "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y}})
        x, y, tall = 0, y + 1, 0
        for given in content:
            one = panel(len(result) + 1, {"x": x, "y": y}, *given)
            size = one["gridPos"]
            if x + size["w"] > WIDTH:
                x, y, tall = 0, y + tall, 0
                size |= {"x": x, "y": y}
            x, tall = x + size["w"], max(tall, size["h"])
            result.append(one)
        y += tall
    return result


def text():
    """Returns the text of the dashboard file."""
    dashboard = {
        "uid": "octopus-mcp", "title": "octopus-mcp", "tags": ["octopus", "mcp"], "schemaVersion": 41, "version": 1,
        "description": "An MCP server for Octopus Deploy. docs/operations.md describes each metric.",
        "editable": False, "refresh": "30s", "timezone": "browser", "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [variable(*given) for given in VARIABLES]}, "annotations": {"list": []},
        "panels": panels(),
    }
    return json.dumps(dashboard, indent=2) + "\n"
