"""Checks of the server for every Python client.

expectations.json has the expected results, also for the TypeScript clients. A client file only
implements connecting, listing and calling with its SDK.
"""

import json
import sys
import traceback
import urllib.error
import urllib.request
from contextlib import AsyncExitStack

import anyio

from changes import a_code_is_good_once, a_person_decides
from facts import EXPECTED, expect, expect_match, show


async def the_tools(client):
    listed = await client.list()
    differing = {name for name, _ in listed} ^ set(EXPECTED["tools"])
    expect(not differing, f"listed or expected, but not both: {sorted(differing)}")
    for name, output_schema in listed:
        expect(output_schema, f"{name} publishes no outputSchema")


async def instance_of(client):
    """Returns the URL of the instance, the prefix of the URLs of its pages."""
    spaces = await client.call("list_spaces", {"take": 1})
    return spaces.structured["items"][0]["url"].split("/app#")[0]


async def every_tool_answers_right(client):
    instance = await instance_of(client)
    expect(
        {call["tool"] for call in EXPECTED["calls"]} == set(EXPECTED["tools"]), "a tool has no call"
    )
    for call in EXPECTED["calls"]:
        what = f"{call['tool']} {show(call['arguments'])}"
        arguments = json.loads(json.dumps(call["arguments"]).replace("{instance}", instance))
        answer = await client.call(call["tool"], arguments)
        expect(not answer.is_error, f"{what}: {answer.text}")
        expect_match(answer.structured, call["expect"], what)
        expect(json.loads(answer.text) == answer.structured, f"{what}: the text is another answer")


async def a_failing_call_is_an_answer(client):
    for call in EXPECTED["failures"]:
        what = f"{call['tool']} {show(call['arguments'])}"
        answer = await client.call(call["tool"], call["arguments"])
        expect(answer.is_error, f"{what} should fail")
        expect_match(answer.text, {"$contains": call["says"]}, what)
    first = EXPECTED["calls"][0]
    answer = await client.call(first["tool"], first["arguments"])
    expect(not answer.is_error, "the connection does not outlive a failing call")


async def a_long_call_tells_its_progress(client):
    told = []

    async def hear(progress, total, message):
        told.append(progress)

    call = EXPECTED["longCall"]
    answer = await client.call(call["tool"], call["arguments"], hear)
    expect(not answer.is_error, answer.text)
    expect(told, "no progress came")
    expect(told == sorted(set(told)), f"progress does not grow: {told}")


async def resources_are_listed_and_read(client):
    wanted = EXPECTED["resource"]
    uris, templates = await client.resources()
    expect(wanted["uri"] in uris, f"listed: {uris}")
    expect(wanted["template"] in templates, f"listed: {templates}")
    expect_match(json.loads(await client.read(wanted["uri"])), wanted["holds"], wanted["uri"])


async def prompts_are_filled_in_and_completed(client):
    wanted = EXPECTED["prompt"]
    names = await client.prompts()
    expect(wanted["name"] in names, f"listed: {names}")
    text = await client.prompt(wanted["name"], wanted["arguments"])
    expect_match(text, {"$contains": wanted["says"]}, wanted["name"])
    completion = wanted["completion"]
    values = await client.complete(wanted["name"], completion["argument"], completion["context"])
    expect(values == [completion["value"]], f"completed with {values}")


async def an_unknown_tool_is_a_protocol_error(client):
    wanted = EXPECTED["unknownTool"]
    try:
        await client.call(wanted["name"], {})
    except client.protocol_error as error:
        expect(error.error.code == wanted["code"], f"{error.error}")
    else:
        raise AssertionError("an unknown tool returned a result")


async def each_user_sees_their_own(connect, url):
    """Two concurrent users of one server see only their own space."""
    async with AsyncExitStack() as stack:
        users = []
        for user in EXPECTED["users"]:
            client = await stack.enter_async_context(connect(url, user["headers"]))
            users.append((client, user))

        async def ten_rounds(client, user):
            for _ in range(10):
                answer = await client.call("list_spaces", {})
                seen = [space["id"] for space in answer.structured["items"]]
                expect(seen == user["spaces"], f"{seen} instead of {user['spaces']}")
            answer = await client.call("list_projects", {"space": user["refused"]})
            expect(answer.is_error, f"{user['refused']} is readable by another user")

        async with anyio.create_task_group() as both:
            for client, user in users:
                both.start_soon(ten_rounds, client, user)


async def without_credentials_nothing(connect, url):
    wanted = EXPECTED["missingCredentials"]
    refused = False
    try:
        async with connect(url, {}) as client:
            await client.list()
    except Exception:
        # SDKs raise different errors: an HTTP error, a protocol error, or a group of them.
        refused = True
    expect(refused, "a client without credentials was served")

    body = json.dumps({"jsonrpc": "2.0", "id": "no-key", "method": "ping"}).encode()
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    request = urllib.request.Request(url, body, headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(request, timeout=10)
    except urllib.error.HTTPError as answer:
        expect(answer.code == wanted["status"], f"HTTP {answer.code}")
        error = json.load(answer)
        expect(error["id"] == "no-key", f"the error names another request: {error}")
        expect_match(error["error"]["message"], {"$contains": wanted["says"]}, "body")
        challenge = answer.headers.get("www-authenticate")
        expect_match(challenge, {"$contains": wanted["says"]}, "challenge")
    else:
        raise AssertionError("a request without credentials was served")


def check(*clients):
    """Runs every check for each `(name, version, connect)`.

    `connect(url, headers, person)` is an async context manager. It returns an object with `version`,
    `protocol_error`, `list`, `call`, `resources`, `read`, `prompts`, `prompt` and `complete`. With a
    `person`, the client supports elicitation, and `person(message)` returns the result. The command
    line has three URLs, of servers with the sample instance: one without credentials, one with the
    caller's own credentials, and one that allows changes and has sessions.
    """
    sys.exit(anyio.run(run_all, clients))


async def run_all(clients):
    failed = 0
    for name, version, connect in clients:
        failed += await run(name, version, connect)
    return 1 if failed else 0


async def run(name, version, connect):
    open_url, keyed_url, changing_url = sys.argv[1:4]
    failed = 0

    async def report(what, work, *arguments):
        nonlocal failed
        try:
            with anyio.fail_after(60):
                await work(*arguments)
            print(f"  ok    {name} {what}", flush=True)
        except Exception:
            failed += 1
            print(f"  FAIL  {name} {what}\n{traceback.format_exc()}", flush=True)

    async def speaks(client):
        expect(client.version == version, f"speaks {client.version}")

    async with connect(open_url, {}) as client:
        await report(f"speaks {version}", speaks, client)
        await report("lists the tools", the_tools, client)
        await report("gets correct results from each tool", every_tool_answers_right, client)
        await report("gets the reason of a failed call, and stays connected", a_failing_call_is_an_answer, client)
        await report("lists and reads resources", resources_are_listed_and_read, client)
        await report("gets and completes prompts", prompts_are_filled_in_and_completed, client)
        await report("gets progress of a long call", a_long_call_tells_its_progress, client)
        await report("gets a protocol error for an unknown tool", an_unknown_tool_is_a_protocol_error, client)
    await report(
        "isolates two users", each_user_sees_their_own, connect, keyed_url
    )
    await report("is rejected without credentials", without_credentials_nothing, connect, keyed_url)
    await report("requests approval before a change", a_person_decides, connect, changing_url)
    await report(
        "requires a code without elicitation", a_code_is_good_once, connect, changing_url
    )
    return failed
