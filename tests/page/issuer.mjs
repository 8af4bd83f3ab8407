// An authorization server for tests. It approves every sign-in without asking.

import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function token(claims) {
  const body = `${encoded({ alg: 'ES256', typ: 'at+jwt', kid: 'one' })}.${encoded(claims)}`;
  const signature = sign('sha256', Buffer.from(body), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${body}.${signature.toString('base64url')}`;
}

/** Starts the server. `asked` collects authorization requests; `answer` changes the redirect, and `says` the metadata. */
export async function issuer() {
  const state = { asked: [], codes: new Map(), answer: (query) => query, says: {}, tokens: 0 };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, state.issuer);
    const json = (status, value) => {
      response.writeHead(status, { 'content-type': 'application/json', 'access-control-allow-origin': '*' });
      response.end(JSON.stringify(value));
    };
    if (url.pathname === '/.well-known/oauth-authorization-server') {
      return json(200, {
        issuer: state.issuer, jwks_uri: `${state.issuer}/keys`,
        authorization_endpoint: `${state.issuer}/authorize`, token_endpoint: `${state.issuer}/token`,
        ...state.says,
      });
    }
    if (url.pathname === '/keys') {
      return json(200, { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'ES256' }] });
    }
    if (url.pathname === '/authorize') {
      const query = Object.fromEntries(url.searchParams);
      // Microsoft Entra ID does this if the scopes belong to another audience.
      if (query.resource) return json(400, { error: 'invalid_target' });
      const code = randomUUID();
      state.codes.set(code, query);
      state.asked.push(query);
      const back = new URL(query.redirect_uri);
      const answer = state.answer({ code, state: query.state, iss: state.issuer });
      for (const [name, value] of Object.entries(answer)) back.searchParams.set(name, value);
      response.writeHead(302, { location: back.href, 'cross-origin-opener-policy': 'same-origin' });
      return response.end();
    }
    if (url.pathname === '/token') {
      state.tokens += 1;
      let body = '';
      for await (const chunk of request) body += chunk;
      const form = Object.fromEntries(new URLSearchParams(body));
      const given = state.codes.get(form.code);
      state.codes.delete(form.code);
      const challenge = createHash('sha256').update(form.code_verifier ?? '').digest('base64url');
      const fits = given?.code_challenge === challenge && given.redirect_uri === form.redirect_uri && given.client_id === form.client_id;
      if (!fits) return json(400, { error: 'invalid_grant', error_description: 'the code is not good' });
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        iss: state.issuer, sub: 'u-7', aud: 'api://octopus-mcp', iat: now, exp: now + 600,
        scope: given.scope, preferred_username: 'grace@example.com',
      };
      return json(200, { token_type: 'Bearer', access_token: token(claims) });
    }
    return json(404, {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  state.issuer = `http://127.0.0.1:${server.address().port}`;
  state.close = () => { server.closeAllConnections(); server.close(); };
  return state;
}
