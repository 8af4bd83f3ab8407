"""The commands in the documents: which test runs each of them, or why it is not run."""

import re

from chart import ROOT

DOCUMENTS = sorted([
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "deploy/README.md", "deploy/helm/octopus-mcp/README.md")),
    *(ROOT / "docs").glob("*.md"),
])
# Programs whose calls are found in running text. A name without arguments is not a call.
PROGRAMS = (r"octopus-mcp|docker|kubectl|helm|cargo|systemctl|claude|curl|jq|openssl|aws|mcp-publisher|codex|kill|git|npm|npx|"
            r"python3?|pip|apt-get|rustup|promtool|redis-\w+|valkey-\w+|chmod|mkdir|cp|sudo")
CALL = re.compile(rf"(?:{PROGRAMS}) +\S.*|\.?/?(?:tests/(?:run|recipe)|deploy/(?:render|sbom|names))(?: .*)?", re.S)
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.M | re.S)

# Commands that test_commands.py runs unchanged, with a server that has the settings of deploy/compose.yaml, and their
# expected output.
RUN = {
    "curl -i https://mcp.example.com/mcp": r"^HTTP/2 405\b(?s:.*)an MCP server for Octopus Deploy",
    "curl -s https://mcp.example.com/mcp -H 'Content-Type: application/json' "
    "-H 'Accept: application/json, text/event-stream' -H 'MCP-Protocol-Version: 2025-11-25' "
    '-H "X-Octopus-ApiKey: $OCTOPUS_API_KEY" '
    """-d '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_spaces","arguments":{}}}'""":
        r'"id":"Spaces-1"',
    "docker compose logs --no-log-prefix server | jq -cR 'fromjson? | select(.request == \"THE-ID\")'":
        r'"message":"request completed"',
    "docker compose cp server:/var/lib/octopus-mcp/audit.jsonl .": r"^$",
    """jq -c 'select(.request == "THE-ID")' audit.jsonl""": r'"tool":"list_spaces"',
    "octopus-mcp audit verify FILE": r"records",
    "octopus-mcp audit verify audit.jsonl": r"records",
    "octopus-mcp audit verify audit.jsonl.* audit.jsonl": r"records",
    "octopus-mcp config": r"(?m)^http\.listen = ",
    "octopus-mcp config --config FILE": r"(?m)^http\.listen = .*# file FILE",
    "octopus-mcp tools": r"list_spaces",
    "octopus-mcp tools [--json]": r'"list_spaces"',
    "octopus-mcp tools --by-version": r"grep_llms_txt",
    "octopus-mcp token new NAME": r"(?m)^\[auth\.tokens\.NAME\]$",
}
# Commands that start a server. test_commands.py checks that it responds.
SERVE = [
    "cargo run --release -- --sample",
    "octopus-mcp --sample",
    "octopus-mcp --server-url https://octopus.example.com",
    "octopus-mcp [serve]",
]
# The first step of docs/operations.md. test_commands.py runs it as one script.
FIRST_STEP = [
    "(umask 022 && git clone https://github.com/example/octopus-mcp octopus-mcp) && cd octopus-mcp/deploy",
    "cp compose/env.example .env",
    "${EDITOR:-vi} .env",
    "mkdir -p secrets && chmod 700 secrets",
    "openssl rand -hex 24 > secrets/grafana-password && chmod 644 secrets/grafana-password",
]
SETTING = "export OCTOPUS_API_KEY_FILE=~/.octopus-key"
# Commands that another test runs: the file, a text that it contains, and the commands.
ELSEWHERE = {
    "tests/it/hosting/explanations.rs": ("policy test", [r"octopus-mcp policy test( --config config/hosting\.toml .*| \.\.\.)?"]),
    "tests/it/cli/serve.rs": ("healthcheck", ["octopus-mcp stdio", "octopus-mcp healthcheck"]),
    "tests/it/rollout/reload.rs": ("HUP", ["kill -HUP"]),
    "tests/it/cli/check.rs": ('"check", "--json"', [r"octopus-mcp check( \[--json\]| --json| --config FILE)?"]),
    "tests/it/audit/verify_command.rs": ('program(&["audit", "verify"])', ["octopus-mcp audit verify"]),
    "tests/it/audit/keyed_chain.rs": ('"audit", "head"', [
        r"octopus-mcp audit new-key /run/secrets/audit-chain-key",
        r"octopus-mcp audit (verify|head) audit\.jsonl\.\* audit\.jsonl --key-file KEY( --head server\.log)?",
    ]),
    "tests/packaging/test_chart.py": ("plain.stale()", ["deploy/render"]),
    "tests/packaging/test_dashboard.py": ("exec prometheus (promtool .*)", [
        "docker compose exec prometheus promtool query instant http://127.0.0.1:9090 octopus_mcp_build",
    ]),
    "tests/packaging/image.py": ('"bud"', [r"docker build -t octopus-mcp \."]),
    "tests/packaging/test_image.py": ('startswith("docker run ")', [r"docker run .*"]),
    "tests/packaging/test_documents.py": ('"deploy/names"', [r"deploy/names OWNER/NAME( VERSION| \[VERSION\])?"]),
    "tests/run": ("deploy/sbom", ["deploy/sbom", r"tests/recipe", r"(\./)?tests/run( rust| hostile| packaging)?", "cargo deny"]),
}
# Commands that no test runs, by what they require.
NOT_RUN = {
    "a container engine": [
        "docker buildx build --platform linux/amd64,linux/arm64",
        "docker build -t registry.example.com/octopus-mcp . && docker push registry.example.com/octopus-mcp",
        "docker compose up --build --detach",
        "docker compose up --detach",
        "docker compose ps",
        "docker create --name octopus-mcp-files ghcr.io/example/octopus-mcp:VERSION",
        "docker cp octopus-mcp-files:/usr/local/bin/octopus-mcp .",
        "docker rm octopus-mcp-files",
    ],
    "a cluster": [
        "kubectl apply --kustomize deploy/kubernetes",
        "kubectl --namespace octopus-mcp rollout status deployment/octopus-mcp",
        'kubectl create secret generic octopus-mcp --from-literal=seal-key="$(openssl rand -hex 32)" '
        "--from-literal=store=rediss://USER:PASSWORD@valkey:6379/0",
        "kubectl --namespace octopus-mcp logs deployment/octopus-mcp --container check-settings",
        "kubectl create secret generic octopus-keys --from-file=europe --from-file=lab",
        "kubectl get pods",
        "kubectl describe pod",
        "helm rollback octopus-mcp --namespace octopus-mcp",
    ],
    "a machine whose first process is systemd": [
        "systemctl reload octopus-mcp", "systemctl restart octopus-mcp", "systemctl status octopus-mcp",
    ],
    "an account": [
        "aws ecs register-task-definition --cli-input-json file://deploy/ecs/task-definition.json",
        "mcp-publisher publish",
    ],
    "Claude Code": [
        "claude mcp add --transport http octopus https://mcp.example.com/mcp",
        "claude mcp add --transport http octopus https://mcp.example.com/mcp "
        '--header "X-Octopus-ApiKey: $OCTOPUS_API_KEY"',
        "claude mcp add --transport http octopus https://mcp.example.com/mcp "
        '--header "X-Octopus-ApiKey: API-YOURKEY"',
        "claude mcp add --transport http octopusdeploy https://mcp.example.com/mcp "
        '--header "X-Octopus-ApiKey: API-YOURKEY"',
    ],
    "Codex": ["codex mcp add octopus --url https://mcp.example.com/mcp"],
    "a person, or several minutes on an idle machine": [
        "cargo build --release", "cargo build --profile dist --locked", "cargo insta review", "cargo bench", "cargo bench --profile dist --bench serving", "cargo bench --bench sanitizer",
    ],
    "the advisory database, which comes from the network": ["cargo deny check advisories"],
}
# Commands whose values are checked with the chart.
CHART = re.compile(r"helm (?:install|upgrade) octopus-mcp deploy/helm/octopus-mcp .*")


def lines(block, is_console):
    """Returns the commands of a block, one per line and without comments."""
    if is_console:
        block = "\n".join(line[2:] for line in block.splitlines() if line.startswith("$ "))
    for line in re.sub(r"\s*\\\n\s*", " ", block).splitlines():
        if command := re.sub(r"(^|\s+)# .*", "", line).strip():
            yield command


def found():
    """Returns every command with the document that contains it."""
    commands = {}
    for path in DOCUMENTS:
        text, name = path.read_text(), str(path.relative_to(ROOT))
        for _, kind, block in BLOCK.findall(text):
            if kind in ("", "sh", "bash", "shell", "console"):
                for command in lines(block, kind == "console"):
                    commands.setdefault(command, name)
        for span in re.findall(r"`([^`]+)`", BLOCK.sub("", text)):
            command = " ".join(span.split())
            if CALL.fullmatch(command):
                commands.setdefault(command, name)
    return commands


def ways(command):
    """Returns how a command is covered. The tests require exactly one way."""
    of = [name for name, (_, forms) in ELSEWHERE.items() if any(re.fullmatch(form, command) for form in forms)]
    of += [why for why, those in NOT_RUN.items() if command in those]
    of += ["run"] * (command in RUN or command in SERVE or command in FIRST_STEP or command == SETTING)
    return of + ["the chart"] * bool(CHART.fullmatch(command))
