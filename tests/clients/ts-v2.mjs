// @modelcontextprotocol/client 2.x: protocol revision 2026-07-28, requested and negotiated, and the default of this
// SDK, sessions of 2025-11-25.

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

import { check } from './checks.mjs';

function connectAs(mode) {
  return async (url, headers, person) => {
    const client = new Client(
      { name: 'ts-v2', version: '1.0.0' },
      { versionNegotiation: { mode }, capabilities: person ? { elicitation: {} } : {} },
    );
    // Handles elicitation on a session, and input-required results, after which the SDK repeats the call.
    if (person) {
      client.setRequestHandler('elicitation/create', ({ params }) => person(params.message));
    }
    await client.connect(
      new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }),
    );
    return {
      version: client.getNegotiatedProtocolVersion(),
      list: async () => (await client.listTools()).tools,
      call: (name, args, onprogress) => client.callTool({ name, arguments: args }, { onprogress }),
      resources: async () => (await client.listResources()).resources,
      templates: async () => (await client.listResourceTemplates()).resourceTemplates,
      read: async (uri) => (await client.readResource({ uri })).contents,
      prompts: async () => (await client.listPrompts()).prompts,
      prompt: async (name, args) => (await client.getPrompt({ name, arguments: args })).messages,
      complete: async (params) => (await client.complete(params)).completion.values,
      close: () => client.close(),
    };
  };
}

await check('ts-v2 pinned', '2026-07-28', connectAs({ pin: '2026-07-28' }));
await check('ts-v2 auto', '2026-07-28', connectAs('auto'));
await check('ts-v2 legacy', '2025-11-25', connectAs('legacy'));
