// Starts the servers under test on free ports, and stops them at the end.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const binary = process.env.OCTOPUS_MCP_BINARY;
export const octopus = process.env.SAMPLE_INSTANCE;
// A key of the sample instance. It is not valid anywhere else.
export const KEY = 'API-SAMPLE00000000000000000000ADMIN';

const folder = mkdtempSync(join(tmpdir(), 'octopus-mcp-page-'));
const running = [];

/** Starts a server with these settings, and these in `[http]`. Returns the URL of its endpoint. */
export async function serve(name, settings, http = '', flags = []) {
  const file = join(folder, `${name}.toml`);
  writeFileSync(file, `${settings}\n[http]\nlisten = "127.0.0.1:0"\n${http}\n`);
  // The server reads its settings from the file only.
  const env = Object.fromEntries(Object.entries(process.env).filter(([one]) => !one.startsWith('OCTOPUS_')));
  const child = spawn(binary, ['serve', '--config', file, ...flags], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  const said = [];
  for await (const line of lines(child)) {
    said.push(line);
    const found = line.match(/http:\/\/127\.0\.0\.1:\d+\/mcp/);
    if (found) return found[0];
  }
  throw new Error(`${name} printed no address:\n${said.join('\n')}`);
}

// Returns the lines of both output streams. Reads them to the end, so that the process does not block.
async function* lines(child) {
  const queue = [];
  let wake = () => {};
  let open = 2;
  for (const stream of [child.stdout, child.stderr]) {
    const reader = createInterface({ input: stream });
    reader.on('line', (line) => { queue.push(line); wake(); });
    reader.on('close', () => { open -= 1; wake(); });
  }
  while (open > 0 || queue.length) {
    if (queue.length) yield queue.shift();
    else await new Promise((resolve) => { wake = resolve; });
  }
}

export async function stop() {
  await Promise.all(running.map(async (child) => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }));
  rmSync(folder, { recursive: true });
}

/** Calls a tool, like another client of the same caller. */
export async function call(url, tool, headers) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: {} } }),
  });
  return response.json();
}
