// Asks the endpoint as any MCP client does. What the visitor proves who they are with is in `proof`
// and nowhere else.

const server = JSON.parse(document.getElementById('server').textContent);
const REVISION = '2026-07-28';
const CLIENT = 'octopus-mcp page';
const PATIENCE = 60_000;

// The headers of the visitor's credentials.
let proof = {};
let lastId = 0;

// What the server says when it does not answer, in its own words.
class Refused extends Error {}

// The endpoint, reached as the page was.
function endpoint() {
  const told = new URL(server.endpoint);
  return told.origin === location.origin ? told : new URL('mcp', location.href);
}

async function ask(method, params = {}, instance = '') {
  const name = params.name ?? params.uri;
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': REVISION,
    'mcp-method': method,
    ...(name ? { 'mcp-name': name } : {}),
    ...(instance ? { 'x-octopus-instance': instance } : {}),
    ...proof,
  };
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': REVISION,
    'io.modelcontextprotocol/clientInfo': { name: CLIENT, version: server.version },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  lastId += 1;
  const body = JSON.stringify({ jsonrpc: '2.0', id: lastId, method, params: { ...params, _meta } });
  const signal = AbortSignal.timeout(PATIENCE);
  let response;
  try {
    response = await fetch(endpoint(), { method: 'POST', headers, body, signal, redirect: 'error', cache: 'no-store' });
  } catch (error) {
    throw new Refused(error.name === 'TimeoutError' ? 'The server did not answer in a minute.' : 'The server could not be reached.');
  }
  const message = read(await response.text(), response.headers.get('content-type') ?? '');
  if (message?.result) return message.result;
  const words = message?.error?.message ?? 'The answer was none of the protocol.';
  throw new Refused(response.ok ? words : `${words} (HTTP ${response.status})`);
}

// A JSON body, or the last event of a stream.
function read(text, type) {
  const events = text.split('\n').filter((line) => line.startsWith('data:'));
  const json = type.startsWith('text/event-stream') ? (events.at(-1) ?? '').slice(5) : text;
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

async function call(name, instance) {
  const result = await ask('tools/call', { name, arguments: {} }, instance);
  if (result.isError) throw new Refused(result.content?.[0]?.text ?? 'The call failed.');
  return result.structuredContent;
}

async function document_at(uri, instance) {
  const result = await ask('resources/read', { uri }, instance);
  return JSON.parse(result.contents[0].text);
}
