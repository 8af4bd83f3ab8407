"""Python mcp 2.x: protocol revision 2026-07-28, pinned and negotiated, and sessions of 2025-11-25."""

from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace

from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_types import ElicitResult, PromptReference

from checks import check


@asynccontextmanager
async def connect(mode, url, headers, person=None):
    # Handles elicitation on a session, and input-required results, after which the SDK repeats the call.
    async def ask(_, params):
        return ElicitResult(**person(params.message))

    async with (
        create_mcp_http_client(headers=headers) as http,
        Client(
            streamable_http_client(url, http_client=http),
            mode=mode,
            elicitation_callback=person and ask,
        ) as client,
    ):

        async def list_tools():
            return [(tool.name, tool.output_schema) for tool in (await client.list_tools()).tools]

        async def call(name, arguments, hear=None):
            result = await client.call_tool(name, arguments, progress_callback=hear)
            text = "".join(block.text for block in result.content)
            return SimpleNamespace(
                is_error=result.is_error, structured=result.structured_content, text=text
            )

        async def resources():
            listed = (await client.list_resources()).resources
            templates = (await client.list_resource_templates()).resource_templates
            return [str(one.uri) for one in listed], [one.uri_template for one in templates]

        async def read(uri):
            return (await client.read_resource(uri)).contents[0].text

        async def prompts():
            return [prompt.name for prompt in (await client.list_prompts()).prompts]

        async def prompt(name, arguments):
            return (await client.get_prompt(name, arguments)).messages[0].content.text

        async def complete(name, argument, context):
            reference = PromptReference(type="ref/prompt", name=name)
            result = await client.complete(reference, argument, context)
            return result.completion.values

        yield SimpleNamespace(
            version=client.protocol_version,
            protocol_error=MCPError,
            list=list_tools,
            call=call,
            resources=resources,
            read=read,
            prompts=prompts,
            prompt=prompt,
            complete=complete,
        )


check(
    ("py-v2 pinned", "2026-07-28", partial(connect, "2026-07-28")),
    ("py-v2 auto", "2026-07-28", partial(connect, "auto")),
    ("py-v2 legacy", "2025-11-25", partial(connect, "legacy")),
)
