"""Python mcp 1.x: sessions of protocol revision 2025-11-25."""

from contextlib import asynccontextmanager
from types import SimpleNamespace

from mcp import ClientSession, McpError
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.types import ElicitResult, PromptReference
from pydantic import AnyUrl

from checks import check


@asynccontextmanager
async def connect(url, headers, person=None):
    async def ask(_, params):
        return ElicitResult(**person(params.message))

    async with (
        create_mcp_http_client(headers=headers) as http,
        streamable_http_client(url, http_client=http) as (read, write, _),
        ClientSession(read, write, elicitation_callback=person and ask) as session,
    ):
        started = await session.initialize()

        async def list_tools():
            return [(tool.name, tool.outputSchema) for tool in (await session.list_tools()).tools]

        async def call(name, arguments, hear=None):
            result = await session.call_tool(name, arguments, progress_callback=hear)
            text = "".join(block.text for block in result.content)
            return SimpleNamespace(
                is_error=result.isError, structured=result.structuredContent, text=text
            )

        async def resources():
            listed = (await session.list_resources()).resources
            templates = (await session.list_resource_templates()).resourceTemplates
            return [str(one.uri) for one in listed], [one.uriTemplate for one in templates]

        async def read(uri):
            return (await session.read_resource(AnyUrl(uri))).contents[0].text

        async def prompts():
            return [prompt.name for prompt in (await session.list_prompts()).prompts]

        async def prompt(name, arguments):
            return (await session.get_prompt(name, arguments)).messages[0].content.text

        async def complete(name, argument, context):
            reference = PromptReference(type="ref/prompt", name=name)
            result = await session.complete(reference, argument, context)
            return result.completion.values

        yield SimpleNamespace(
            version=started.protocolVersion,
            protocol_error=McpError,
            list=list_tools,
            call=call,
            resources=resources,
            read=read,
            prompts=prompts,
            prompt=prompt,
            complete=complete,
        )


check(("py-v1", "2025-11-25", connect))
