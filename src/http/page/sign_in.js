// Sign-in with OAuth: authorization code with PKCE, in a separate window. The state and the code verifier
// stay in the page that started the sign-in. The window that the authorization server redirects to sends
// the query of its address to that page, and closes.

const CHANNEL = 'octopus-mcp sign-in';
const SIGN_IN_TIMEOUT_MS = 300_000;

// Returns the redirect URI: the address of this page.
function redirectUri() {
  return new URL('.', endpoint()).href;
}

// Handles the redirect of the authorization server. Returns whether this window is such a redirect.
function handleRedirect() {
  const query = new URLSearchParams(location.search);
  if (!query.has('state') || !(query.has('code') || query.has('error'))) return false;
  history.replaceState(null, '', location.pathname);
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(Object.fromEntries(query));
  channel.close();
  document.querySelector('main').replaceChildren(el('p', { text: 'You can close this window.' }));
  window.close();
  return true;
}

function base64url(bytes) {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function randomString() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

// Returns the metadata of the authorization server, from the configured URL or from the URLs of RFC 8414
// and OpenID Connect Discovery.
async function authorizationServerMetadata(issuer, discovery) {
  const url = new URL(issuer);
  const path = url.pathname.replace(/\/$/, '');
  const candidates = discovery ? [discovery] : [
    `${url.origin}/.well-known/oauth-authorization-server${path}`,
    `${url.origin}${path}/.well-known/openid-configuration`,
  ];
  for (const candidate of candidates) {
    try {
      const response = await fetch(candidate, { credentials: 'omit', redirect: 'error' });
      const metadata = response.ok ? await response.json() : null;
      const isWebAddress = /^https?:\/\//.test(metadata?.authorization_endpoint);
      const isIssuer = metadata?.issuer && (discovery || metadata.issuer === issuer);
      if (isIssuer && metadata.token_endpoint && isWebAddress) return ensureReachable(metadata, candidates);
    } catch (error) {
      if (error instanceof UserError) throw error;
      // Try the next URL.
    }
  }
  throw new UserError(`This page cannot read the metadata of ${issuer}. The authorization server must allow the origin ${location.origin}.`);
}

// The content security policy of this page allows requests to the configured origins only.
function ensureReachable(metadata, candidates) {
  const { origin } = new URL(metadata.token_endpoint);
  if (!candidates.some((candidate) => new URL(candidate).origin === origin)) {
    throw new UserError(`The token endpoint is at ${origin}, and this page may not send requests there. Paste a token instead.`);
  }
  return metadata;
}

// Opens the sign-in window, and returns the access token.
async function requestToken({ issuer, discovery, clientId, scopes, resource }) {
  if (!isSecureContext) throw new UserError('Sign-in needs HTTPS. Paste a token instead.');
  const state = randomString();
  const verifier = randomString();
  // Opened before the first await: browsers block windows that do not follow a click directly.
  const opened = window.open('about:blank', '_blank', 'popup,width=520,height=680');
  if (!opened) throw new UserError('The browser blocked the sign-in window. Allow pop-ups for this page.');
  let metadata;
  try {
    metadata = await authorizationServerMetadata(issuer, discovery);
  } catch (error) {
    opened.close();
    throw error;
  }
  const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
  const address = new URL(metadata.authorization_endpoint);
  const query = {
    response_type: 'code', client_id: clientId, redirect_uri: redirectUri(), scope: scopes.join(' '), state,
    code_challenge: challenge, code_challenge_method: 'S256', ...(resource ? { resource } : {}),
  };
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  const redirected = waitForRedirect(state);
  opened.location.replace(address);
  const { code, error, error_description, iss } = await redirected;
  // RFC 9207, section 2.4: a server that announces `iss` must send it.
  const hasIssuer = iss || metadata.authorization_response_iss_parameter_supported;
  if (hasIssuer && iss !== metadata.issuer) throw new UserError('The response is from another authorization server.');
  if (!code) throw new UserError(error_description ?? error ?? 'The sign-in was not completed.');
  const body = new URLSearchParams({
    grant_type: 'authorization_code', code, redirect_uri: redirectUri(), client_id: clientId,
    code_verifier: verifier, ...(resource ? { resource } : {}),
  });
  let token = {};
  try {
    token = await (await fetch(metadata.token_endpoint, { method: 'POST', body, credentials: 'omit', redirect: 'error' })).json();
  } catch {
    throw new UserError(`The token request to ${issuer} failed. The authorization server must allow the origin ${location.origin}.`);
  }
  if (!token.access_token) throw new UserError(token.error_description ?? token.error ?? 'The response contains no access token.');
  return token.access_token;
}

// Waits for the redirect with this state.
function waitForRedirect(state) {
  const channel = new BroadcastChannel(CHANNEL);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new UserError('The sign-in was not completed within five minutes.')), SIGN_IN_TIMEOUT_MS);
    channel.onmessage = ({ data }) => {
      if (data?.state !== state) return;
      clearTimeout(timer);
      resolve(data);
    };
  }).finally(() => channel.close());
}
