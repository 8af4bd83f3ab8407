// Signing in: authorization code with PKCE, in a window of its own. The state and the verifier stay in
// the page that asked; the window that comes back hands over what its address says and closes.

const CHANNEL = 'octopus-mcp sign-in';

// Where the authorization server sends people back to: this page.
function back() {
  return new URL('.', endpoint()).href;
}

// In the window that came back: whether this is one.
function came_back() {
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

function random() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

// What the authorization server says of itself: at the place that the settings name, or at the
// addresses of RFC 8414 and of OpenID Connect.
async function metadata(issuer, discovery) {
  const url = new URL(issuer);
  const path = url.pathname.replace(/\/$/, '');
  const places = discovery ? [discovery] : [
    `${url.origin}/.well-known/oauth-authorization-server${path}`,
    `${url.origin}${path}/.well-known/openid-configuration`,
  ];
  for (const place of places) {
    try {
      const response = await fetch(place, { credentials: 'omit', redirect: 'error' });
      const found = response.ok ? await response.json() : null;
      const isPage = /^https?:\/\//.test(found?.authorization_endpoint);
      if (found?.issuer && (discovery || found.issuer === issuer) && found.token_endpoint && isPage) return asked_here(found, places);
    } catch (error) {
      if (error instanceof Refused) throw error;
      // The next one.
    }
  }
  throw new Refused(`${issuer} does not say to this page where to sign in. It has to allow the origin ${location.origin}.`);
}

// The policy of this page lets it ask where the settings name somebody, and nowhere else.
function asked_here(found, places) {
  const { origin } = new URL(found.token_endpoint);
  if (!places.some((place) => new URL(place).origin === origin)) {
    throw new Refused(`Tokens come from ${origin}, which this page may not ask; paste one instead.`);
  }
  return found;
}

// Opens the window, and gives the access token that comes of it.
async function sign_in({ issuer, discovery, clientId, scopes, resource }) {
  if (!isSecureContext) throw new Refused('Signing in needs https; paste a token instead.');
  const state = random();
  const verifier = random();
  // Opened at once, or the browser takes it for one that nobody asked for.
  const opened = window.open('about:blank', '_blank', 'popup,width=520,height=680');
  if (!opened) throw new Refused('The browser opened no window; allow this page to open one.');
  let found;
  try {
    found = await metadata(issuer, discovery);
  } catch (error) {
    opened.close();
    throw error;
  }
  const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
  const address = new URL(found.authorization_endpoint);
  const query = {
    response_type: 'code', client_id: clientId, redirect_uri: back(), scope: scopes.join(' '), state,
    code_challenge: challenge, code_challenge_method: 'S256', ...(resource ? { resource } : {}),
  };
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  const answer = heard(state);
  opened.location.replace(address);
  const { code, error, error_description, iss } = await answer;
  // RFC 9207, section 2.4: who says that it names itself has to.
  const isNamed = iss || found.authorization_response_iss_parameter_supported;
  if (isNamed && iss !== found.issuer) throw new Refused('The answer came from another authorization server.');
  if (!code) throw new Refused(error_description ?? error ?? 'Nobody signed in.');
  const body = new URLSearchParams({
    grant_type: 'authorization_code', code, redirect_uri: back(), client_id: clientId,
    code_verifier: verifier, ...(resource ? { resource } : {}),
  });
  let token = {};
  try {
    token = await (await fetch(found.token_endpoint, { method: 'POST', body, credentials: 'omit', redirect: 'error' })).json();
  } catch {
    throw new Refused(`${issuer} gave this page no token. It has to allow the origin ${location.origin}.`);
  }
  if (!token.access_token) throw new Refused(token.error_description ?? token.error ?? 'There came no token.');
  return token.access_token;
}

// Waits for the window of this state; five minutes are enough to sign in.
function heard(state) {
  const channel = new BroadcastChannel(CHANNEL);
  return new Promise((resolve, reject) => {
    const end = setTimeout(() => reject(new Refused('Nobody signed in within five minutes.')), 300_000);
    channel.onmessage = ({ data }) => {
      if (data?.state !== state) return;
      clearTimeout(end);
      resolve(data);
    };
  }).finally(() => channel.close());
}
