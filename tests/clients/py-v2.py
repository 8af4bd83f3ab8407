"""mcp 2.x: 2026-07-28 pinned, found by itself, and the sessions of 2025-11-25."""

from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace

from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from checks import check


@asynccontextmanager
async def connect(mode, url, headers):
    async with (
        create_mcp_http_client(headers=headers) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):

        async def list_tools():
            return [(tool.name, tool.output_schema) for tool in (await client.list_tools()).tools]

        async def call(name, arguments, hear=None):
            result = await client.call_tool(name, arguments, progress_callback=hear)
            text = "".join(block.text for block in result.content)
            return SimpleNamespace(
                is_error=result.is_error, structured=result.structured_content, text=text
            )

        yield SimpleNamespace(
            version=client.protocol_version, protocol_error=MCPError, list=list_tools, call=call
        )


check(
    ("py-v2 pinned", "2026-07-28", partial(connect, "2026-07-28")),
    ("py-v2 auto", "2026-07-28", partial(connect, "auto")),
    ("py-v2 legacy", "2025-11-25", partial(connect, "legacy")),
)
