"""Checks of changes for every Python client.

A change requires approval, the request shows its effect, and an approved change is executed once.
"""

from facts import EXPECTED, expect, expect_match

CHANGE = EXPECTED["change"]


async def times(client):
    """Returns the number of executed changes, from Octopus."""
    count = CHANGE["count"]
    return (await client.call(count["tool"], count["arguments"])).structured["totalResults"]


def expect_names(asked):
    for words in CHANGE["question"]:
        expect_match(asked, {"$contains": words}, "question")


def expect_came_to(answer, wanted):
    expect(bool(answer.is_error) != wanted["success"], answer.text)
    expect_match(answer.structured, wanted, CHANGE["tool"])


async def a_person_decides(connect, url):
    """A client with elicitation: one request per call, no change after a decline, one after an approval."""
    asked = []
    action = None

    def person(message):
        asked.append(message)
        return {"action": action, "content": {}} if action == "accept" else {"action": action}

    async with connect(url, {}, person) as client:
        before = await times(client)
        for case in [*CHANGE["refused"], {"answer": "accept", "expect": CHANGE["done"]}]:
            action, wanted = case["answer"], case["expect"]
            asked.clear()
            expect_came_to(await client.call(CHANGE["tool"], CHANGE["arguments"]), wanted)
            expect(len(asked) == 1, f"asked {len(asked)} times")
            expect_names(asked[0])
            now = await times(client)
            expect(now == before + wanted["success"], f"{action}: {before}, then {now}")


async def a_code_is_good_once(connect, url):
    """A client without elicitation: no change without the code, one with it, none when it is repeated."""
    async with connect(url, {}) as client:
        before = await times(client)
        first = await client.call(CHANGE["tool"], CHANGE["arguments"])
        expect_came_to(first, CHANGE["unasked"])
        expect_names(first.structured["preview"])
        expect(await times(client) == before, "executed without the code")

        again = {**CHANGE["arguments"], "confirm": first.structured["confirm"]}
        second = await client.call(CHANGE["tool"], again)
        expect_came_to(second, CHANGE["done"])
        expect("repeated" not in second.structured, "the first execution is marked as repeated")
        expect(await times(client) == before + 1, "it was not done, or not once")

        third = await client.call(CHANGE["tool"], again)
        expect_came_to(third, CHANGE["done"])
        expect(third.structured == {**second.structured, "repeated": True}, f"{third.structured}")
        expect(await times(client) == before + 1, "it was done twice")
