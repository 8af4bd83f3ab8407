// Sends MCP requests to the endpoint, like any other client. The credentials of the visitor are kept in
// `credentialHeaders` only.

const server = JSON.parse(document.getElementById('server').textContent);
const REVISION = '2026-07-28';
const CLIENT = 'octopus-mcp page';
const TIMEOUT_MS = 60_000;

// The request headers that carry the credentials of the visitor.
let credentialHeaders = {};
let lastId = 0;

// An error whose message is shown to the visitor as it is.
class UserError extends Error {}

// Returns the endpoint. Behind a proxy it is resolved against the address of the page.
function endpoint() {
  const configured = new URL(server.endpoint);
  return configured.origin === location.origin ? configured : new URL('mcp', location.href);
}

// Sends a request and returns its result. Throws a UserError with the message of the server.
async function sendRequest(method, params = {}, instance = '') {
  const name = params.name ?? params.uri;
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': REVISION,
    'mcp-method': method,
    ...(name ? { 'mcp-name': name } : {}),
    ...(instance ? { 'x-octopus-instance': instance } : {}),
    ...credentialHeaders,
  };
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': REVISION,
    'io.modelcontextprotocol/clientInfo': { name: CLIENT, version: server.version },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  lastId += 1;
  const body = JSON.stringify({ jsonrpc: '2.0', id: lastId, method, params: { ...params, _meta } });
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let response;
  try {
    response = await fetch(endpoint(), { method: 'POST', headers, body, signal, redirect: 'error', cache: 'no-store' });
  } catch (error) {
    throw new UserError(error.name === 'TimeoutError'
      ? 'The server did not respond within one minute. Try again.'
      : 'The server is not reachable. Check your connection and try again.');
  }
  const message = parseMessage(await response.text(), response.headers.get('content-type') ?? '');
  if (message?.result) return message.result;
  const text = message?.error?.message ?? 'The response is not an MCP message.';
  throw new UserError(response.ok ? text : `${text} (HTTP ${response.status})`);
}

// Parses a JSON body, or the last event of an event stream. Returns null if it is not JSON.
function parseMessage(text, type) {
  const events = text.split('\n').filter((line) => line.startsWith('data:'));
  const json = type.startsWith('text/event-stream') ? (events.at(-1) ?? '').slice(5) : text;
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

async function callTool(name, instance) {
  const result = await sendRequest('tools/call', { name, arguments: {} }, instance);
  if (result.isError) throw new UserError(result.content?.[0]?.text ?? 'The tool call failed.');
  return result.structuredContent;
}

async function readResource(uri, instance) {
  const result = await sendRequest('resources/read', { uri }, instance);
  return JSON.parse(result.contents[0].text);
}
