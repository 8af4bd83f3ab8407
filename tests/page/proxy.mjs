// A reverse proxy that serves the server below a path prefix.

import { once } from 'node:events';
import { createServer, request as ask } from 'node:http';

/** Starts the proxy. Requests below `path` go to the origin `state.target`, without the prefix. */
export async function proxy(path) {
  const state = { target: undefined, elsewhere: [] };
  const server = createServer((request, response) => {
    if (!request.url.startsWith(`${path}/`)) {
      state.elsewhere.push(request.url);
      response.writeHead(404);
      return response.end();
    }
    const { method, headers } = request;
    const asked = ask(state.target, { method, headers, path: request.url.slice(path.length) }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy());
    return request.pipe(asked);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  state.url = `http://127.0.0.1:${server.address().port}${path}`;
  state.close = () => { server.closeAllConnections(); server.close(); };
  return state;
}
