"""The dashboard of deploy/observability, which deploy/render writes: rows of panels, from the tables below."""

import json

SOURCE = {"type": "prometheus", "uid": "prometheus"}
# Of the replicas that are looked at, of the Octopus instance, and of the tool.
JOB = 'job=~"$job"'
OCTOPUS = f'{JOB}, octopus_instance=~"$octopus"'
CALLS = f'{JOB}, mcp_method_name="tools/call", gen_ai_tool_name=~"$tool"'
TOOL = f'{JOB}, tool=~"$tool"'
INTERNAL = f'{JOB}, error_type="-32603"'
BAD = f'{CALLS}, error_type="tool_error"'
HIT = f'{JOB}, result="hit"'
WIDTH, HEIGHT = 24, 8

HTTP = "http_server_request_duration_seconds"
MCP = "mcp_server_operation_duration_seconds"
ASKED = "http_client_request_duration_seconds"
UPSTREAM = "octopus_mcp_upstream_requests_total"
FAILED = 'outcome=~"5xx|timeout|connect|broken|busy|paused"'


# No events, and no label, as long as Prometheus reads a replica: where it reads none, there is no data.
NONE = f"0 * count(octopus_mcp_build{{{JOB}}})"
# What a panel says that measures, where nothing was there to be measured.
NOTHING = "nothing in this time"
# What a bar is.
BAR = "Each bar: how many came in the minute before, or in more where more time is shown."
STEP, SHOWN = "$__rate_interval", "$__range"


def came(metric, labels=JOB, within=STEP):
    """How many came within a time. A series begins with its first event, of which increase() sees nothing."""
    of = f"{metric}{{{labels}}}"
    return f"{of} unless {of} offset {within} or increase({of}[{within}])"


def rate(metric, labels=JOB):
    """How many came a second."""
    return f"1000 / {STEP}_ms * ({came(metric, labels)})"


def by(labels, what):
    return f"sum by ({labels}) ({what})"


def or_none(query, labels=""):
    """The query, or a line at 0 called `none` where it finds nothing."""
    if not labels:
        return f"{query} or {NONE}"
    named = NONE
    for label in labels.split(", "):
        named = f'label_replace({named}, "{label}", "none", "", "")'
    return f"{query} or on () {named}"


def share(some, all_of, labels="", within=STEP):
    """Which share of all some are; 0 where there are none of them, and nothing where there is nothing at all."""
    group = f"sum by ({labels})" if labels else "sum"
    total = f"{group} ({came(*all_of, within=within)})"
    return f"({group} ({came(*some, within=within)}) or 0 * {total}) / ({total} > 0)"


def quantile(part, labels, metric, given=JOB, within=STEP):
    """A share of a histogram, by these labels."""
    beside = f", {labels}" if labels else ""
    return f"histogram_quantile({part}, sum by (le{beside}) ({came(metric + '_bucket', given, within)}))"


def legend(labels):
    return " ".join(f"{{{{{label.strip()}}}}}" for label in labels.split(","))


def rates(labels, metric, given=JOB):
    """Of what comes all the time."""
    return [(or_none(by(labels, rate(metric, given)), labels), legend(labels))]


def counts(labels, metric, given=JOB):
    """Of what comes seldom: the first one shows, too."""
    return [(or_none(by(labels, came(metric, given)), labels), legend(labels))]


def quantiles(labels, metric, given=JOB):
    return [(quantile(part, labels, metric, given), f"{name} {legend(labels)}")
            for part, name in ((0.5, "half"), (0.95, "95 %"))]


def each(metric):
    """A value of each replica, or 0 where that has not told any."""
    return f"sum by (instance) ({metric}{{{JOB}}}) or sum by (instance) (0 * octopus_mcp_build{{{JOB}}})"


# Title, what it tells, unit, queries with legends; and how it is drawn, and how wide, where that is not usual.
ROWS = {
    "Traffic": [
        ("Replicas", "Replicas that Prometheus reads, by the version that runs.", "short",
         [(f"count by (version) (octopus_mcp_build{{{JOB}}})", "{{version}}")], "stat", 4),
        ("Requests", "HTTP requests a second, now. Probes are not counted.", "reqps",
         [(or_none(f"sum({rate(HTTP + '_count')})"), "")], "stat", 5),
        ("Operations that fail", "The share of MCP's requests in the time shown that ended in an internal error: too slow, "
         "or the server or what is behind it failed. Errors of tools are told apart.", "percentunit",
         [(share((MCP + "_count", INTERNAL), (MCP + "_count",), within=SHOWN), "")], "stat", 5),
        ("Calls in error", "The share of calls of tools in the time shown that ended in an error of the tool: asked "
         "wrongly, refused, or Octopus failed.", "percentunit",
         [(share((MCP + "_count", BAD), (MCP + "_count", CALLS), within=SHOWN), "")], "stat", 5),
        ("A slow call", "Nineteen calls of tools in twenty were faster, in the time shown.", "s",
         [(quantile(0.95, "", MCP, CALLS, SHOWN), "")], "stat", 5),
        ("Requests by status", "HTTP. Limits answer with 200 or 429, and with 503 where the server is full. `cancelled` has "
         "no status: the client gave up first.", "short",
         counts("http_response_status_code, error_type", HTTP + "_count"), "bars"),
        ("Requests by route", "HTTP, by method and route.", "reqps",
         rates("http_request_method, http_route", HTTP + "_count")),
        ("Under way", "Requests that are being answered, by replica. `limits.concurrent_requests` is the most.", "short",
         [(each("http_server_active_requests"), "{{instance}}")]),
        ("Operations by method", "Requests and notifications of MCP.", "reqps", rates("mcp_method_name", MCP + "_count")),
        ("Operations in error", "By method, and by the code of the error, `tool_error`, or `cancelled` where the client gave "
         "up.", "short",
         counts("mcp_method_name, error_type", MCP + "_count", JOB + ', error_type!=""'), "bars"),
        ("How long operations take", "By method.", "s", quantiles("mcp_method_name", MCP)),
        ("Calls by tool", "Calls of tools.", "reqps", rates("gen_ai_tool_name", MCP + "_count", CALLS)),
        ("Calls in error by tool", "Calls that end in an error of the tool.", "short",
         counts("gen_ai_tool_name", MCP + "_count", BAD), "bars"),
        ("How long calls take", "By tool.", "s", quantiles("gen_ai_tool_name", MCP, CALLS)),
        ("Size of answers", "As JSON, before and after they were cut to `tools.answer_bytes`.", "bytes",
         quantiles("stage", "octopus_mcp_answer_size_bytes", TOOL)),
        ("Revisions and transports", "What clients speak.", "reqps",
         rates("mcp_protocol_version, network_transport", MCP + "_count")),
        ("Prompts", "Prompts that were got.", "short",
         counts("gen_ai_prompt_name", MCP + "_count", JOB + ', gen_ai_prompt_name!=""'), "bars"),
    ],
    "Octopus": [
        ("Paused", "1 where an instance does not answer and calls to it are refused for a while. Whoever calls alone is "
         "held back alone: then this stays at 0, and `paused` is in the outcomes.", "short",
         [(f"max by (octopus_instance) (octopus_mcp_instance_paused{{{OCTOPUS}}})", "{{octopus_instance}}")]),
        ("Requests by instance", "Requests to Octopus.", "reqps", rates("octopus_instance", UPSTREAM, OCTOPUS)),
        ("Requests by outcome", "A class of status; or why there was none: `timeout`, `connect`, `broken`, or "
         "`given_up` by whoever asked; or why nothing "
         "was sent: `paused`, `busy`, `invalid`.", "short", counts("octopus_instance, outcome", UPSTREAM, OCTOPUS), "bars"),
        ("Requests that fail", "The share that came to a status of 5xx or to no answer.", "percentunit",
         [(share((UPSTREAM, OCTOPUS + ", " + FAILED), (UPSTREAM, OCTOPUS), "octopus_instance"),
           "{{octopus_instance}}")]),
        ("The ten busiest routes", "Without IDs and names.", "reqps",
         [(f"topk(10, {by('route', rate(UPSTREAM, OCTOPUS))})", "{{route}}")]),
        ("Status", "Of answers, by host.", "short",
         counts("server_address, http_response_status_code", ASKED + "_count", JOB + ', http_response_status_code!=""'),
         "bars"),
        ("How long Octopus takes", "Until the head of the answer, by host.", "s", quantiles("server_address", ASKED)),
        ("The ten slowest routes", "Nineteen requests in twenty are faster, by method and route.", "s",
         [(f"topk(10, {quantile(0.95, 'http_request_method, url_template', ASKED)})",
           "{{http_request_method}} {{url_template}}")]),
        ("Remembered", "The share of questions that need no request to Octopus.", "percentunit",
         [(share(("octopus_mcp_cache_lookups_total", HIT), ("octopus_mcp_cache_lookups_total",), "cache"), "{{cache}}")]),
    ],
    "Governance": [
        ("Decisions of the rules", "What the rules said of calls, and which rule. Where none matched, it has no name.",
         "short", counts("effect, rule", "octopus_mcp_policy_decisions_total"), "bars"),
        ("Confirmations", "Questions before changes, by what became of them and how they were asked.", "short",
         counts("outcome, way", "octopus_mcp_confirmations_total"), "bars"),
        ("Changes", "Changes of Octopus that were sent.", "short",
         counts("tool, result", "octopus_mcp_changes_total", TOOL), "bars"),
        ("Limits", "Requests that had to wait, by the limit that they met.", "short",
         counts("limit", "octopus_mcp_rate_limited_total"), "bars"),
        ("Failed authentication", "Requests of which nobody knows whose they are.", "short",
         [(or_none(f"sum({came('octopus_mcp_authentication_failures_total')})"), "requests")], "bars"),
        ("Taken out of texts", "Secrets, and characters that nobody sees.", "short",
         counts("kind", "octopus_mcp_redactions_total"), "bars"),
        ("Audit", "Records that found no place in the queue, and times that a place for them did not take them, since the "
         "start of each replica. Anything but 0 is wrong.", "short",
         [(f"sum by (instance) (octopus_mcp_audit_lost_total{{{JOB}}})", "lost {{instance}}"),
          (f"sum by (instance) (octopus_mcp_audit_failures_total{{{JOB}}})", "failures {{instance}}")]),
    ],
    "House": [
        ("Days that credentials last", "Of those that the settings name, as far as Octopus says it.", "d",
         [(f"min by (octopus_instance, credential) (octopus_mcp_credential_remaining_days{{{OCTOPUS}}})",
           "{{octopus_instance}} {{credential}}")], "bargauge"),
        ("Sessions", "Sessions of clients of the earlier revisions, where `http.sessions` keeps any.", "short",
         [(each("octopus_mcp_sessions"), "{{instance}}")]),
        ("Memory of large answers", "Bytes that large answers of Octopus take, of `limits.bytes_in_flight`.", "bytes",
         [(each("octopus_mcp_memory_reserved_bytes"), "{{instance}}")]),
        ("Answers without memory", "Large answers that found no memory in time.", "short",
         counts("instance", "octopus_mcp_memory_refusals_total"), "bars"),
        ("Store away", "1 where the store that replicas share does not answer, so that each counts for itself.", "short",
         [(f"max by (instance) (octopus_mcp_store_away{{{JOB}}})", "{{instance}}")]),
        ("Store failures", "Questions to the store that were not answered.", "short",
         counts("instance", "octopus_mcp_store_failures_total"), "bars"),
        ("Settings read again", "Since the start of each replica, by whether they are in force.", "short",
         [(or_none(f"sum by (instance, result) (octopus_mcp_config_reloads_total{{{JOB}}})", "instance, result"),
           "{{instance}} {{result}}")]),
        ("Versions", "Replicas by the version that runs.", "short",
         [(f"count by (version) (octopus_mcp_build{{{JOB}}})", "{{version}}")]),
    ],
}

# Name, label for people, and where its values are read.
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


def panel(number, at, title, tells, unit, queries, kind="timeseries", width=8):
    bars, defaults = kind == "bars", {"unit": unit, "min": 0, "color": {"mode": "palette-classic"}, "noValue": NOTHING}
    kind = "timeseries" if bars else kind
    # A number of now, or of the whole time that is shown, is asked for once.
    how = {"instant": True} if kind == "stat" else {"range": True}
    tells += f" {BAR}" if bars else ""
    targets = [
        {"refId": chr(65 + n), "datasource": SOURCE, "expr": expr, "legendFormat": name or title, **how}
        for n, (expr, name) in enumerate(queries)
    ]
    made = {
        "id": number, "type": kind, "title": title, "description": tells, "datasource": SOURCE, "targets": targets,
        "gridPos": {"h": 4 if kind == "stat" else HEIGHT, "w": width, **at},
        "fieldConfig": {"defaults": defaults, "overrides": []},
    }
    if kind == "timeseries":
        made["options"] = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
        if bars:
            made["interval"] = "1m"
            defaults |= {"decimals": 0, "custom": {"drawStyle": "bars", "fillOpacity": 60}}
    elif kind == "bargauge":
        # An expired credential has less than none.
        del defaults["min"]
        steps = [("red", None), ("orange", 3), ("green", 14)]
        defaults |= {
            "color": {"mode": "thresholds"}, "noValue": "none is named, or Octopus does not say",
            "thresholds": {"mode": "absolute", "steps": [{"color": c, "value": v} for c, v in steps]},
        }
        made["options"] = {"orientation": "horizontal", "reduceOptions": {"calcs": ["lastNotNull"]}}
    else:
        made["options"] = {"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "auto"}
    return made


def panels():
    """Rows from top to bottom, and panels in them from left to right."""
    made, y = [], 0
    for row, content in ROWS.items():
        made.append({"id": len(made) + 1, "type": "row", "title": row, "collapsed": False, "panels": [],
                     "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y}})
        x, y, tall = 0, y + 1, 0
        for given in content:
            one = panel(len(made) + 1, {"x": x, "y": y}, *given)
            size = one["gridPos"]
            if x + size["w"] > WIDTH:
                x, y, tall = 0, y + tall, 0
                size |= {"x": x, "y": y}
            x, tall = x + size["w"], max(tall, size["h"])
            made.append(one)
        y += tall
    return made


def text():
    """The file."""
    dashboard = {
        "uid": "octopus-mcp", "title": "octopus-mcp", "tags": ["octopus", "mcp"], "schemaVersion": 41, "version": 1,
        "description": "An MCP server for Octopus Deploy. docs/operations.md says what each metric is.",
        "editable": False, "refresh": "30s", "timezone": "browser", "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [variable(*given) for given in VARIABLES]}, "annotations": {"list": []},
        "panels": panels(),
    }
    return json.dumps(dashboard, indent=2) + "\n"
