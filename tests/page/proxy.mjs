// A proxy that has the server below a path, as a host does that has other things beside it.

import { once } from 'node:events';
import { createServer, request as ask } from 'node:http';

/** Starts it. What is asked below `path` goes to `state.target`, an origin, without that path. */
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
