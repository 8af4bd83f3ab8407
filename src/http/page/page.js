// The content of the page. Text of the visitor and of Octopus is inserted as text, never as markup.

const clients = JSON.parse(document.getElementById('clients').textContent);
const $ = (id) => document.getElementById(id);

// Creates an element with properties, text and children.
function el(tag, { text, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  if (text !== undefined) element.textContent = text;
  element.append(...children.filter(Boolean));
  return element;
}

function showFacts(list, entries) {
  const shown = entries.filter(([, value]) => value);
  list.replaceChildren(...shown.map(([name, value]) => el('div', {}, el('dt', { text: name }), el('dd', {}, value))));
}

function showStatus(text, problem = '') {
  $('status').textContent = text;
  $('problem').textContent = problem;
}

// The server, and the form for credentials.

const AUTH_METHODS = {
  octopus: 'Octopus API key',
  none: 'none',
  tokens: 'token of this server',
  oauth: 'OAuth',
  proxy: 'reverse proxy',
  certificate: 'client certificate',
};

const uses = (method) => server.authMethods.includes(method);
const acceptsBearerToken = uses('tokens') || uses('oauth');
// The caller authenticates to this server, not to Octopus.
const authenticatesHere = !uses('octopus') && !uses('none');

// The access token of the sign-in, until the page is closed.
let accessToken = '';
// Number of the latest request of the visitor. Responses to earlier ones are ignored.
let turn = 0;

function countTools(count) {
  return count === 1 ? '1 tool' : `${count} tools`;
}

// Shows the server properties that need no request.
function showServer() {
  const badges = [
    server.sampleQuestions.length && 'Sample data',
    server.allowsChanges ? 'Read and write' : 'Read-only',
    countTools(server.tools),
    `Sign-in: ${server.authMethods.map((method) => AUTH_METHODS[method]).join(' or ')}`,
    server.apiKey !== 'rejected' && !uses('octopus') && `Octopus API key (${server.apiKey})`,
  ].filter(Boolean);
  $('badges').replaceChildren(
    ...badges.map((text) => el('li', { text })),
    el('li', {}, 'Version ', el('span', { id: 'version', text: server.version })));
}

function field(id, label, isRequired, type = 'password') {
  const input = el('input', { id, type, autocomplete: 'off', spellcheck: false, required: isRequired });
  if (type === 'password') input.setAttribute('aria-describedby', 'privacy');
  return el('label', { className: 'field', text: label }, input);
}

function buildCredentialForm() {
  const token = uses('oauth') && uses('tokens') ? 'Access token, or token of this server' : uses('oauth') ? 'Access token' : 'Token of this server';
  const isTokenRequired = !server.signIn.length && !uses('proxy') && !uses('certificate');
  const key = uses('octopus') ? 'Octopus API key or access token' : server.apiKey === 'optional' ? 'Octopus API key (optional)' : 'Octopus API key';
  const keyField = field('key', key, server.apiKey === 'required');
  keyField.hidden = server.apiKey === 'rejected';
  const instanceField = field('at', 'Instance (optional)', false, 'text');
  instanceField.hidden = !server.hasSeveralInstances;
  const forgetButton = el('button', { type: 'button', id: 'forget', text: 'Forget', hidden: true });
  forgetButton.addEventListener('click', forget);
  $('fields').append(
    ...(acceptsBearerToken ? [field('token', token, isTokenRequired)] : []),
    keyField,
    instanceField,
    el('button', { type: 'submit', className: server.signIn.length ? '' : 'main', text: 'Show my access' }),
    forgetButton,
  );
  $('privacy').hidden = keyField.hidden && !acceptsBearerToken;
  for (const issuer of server.signIn) {
    const button = el('button', { type: 'button', className: 'main', text: `Sign in with ${new URL(issuer.issuer).host}` });
    button.addEventListener('click', () => signIn(issuer));
    $('sign-in').append(button);
    $('sign-in').hidden = false;
  }
  $('credential').addEventListener('submit', (event) => {
    event.preventDefault();
    showAccess();
  });
}

// Returns the headers for the credentials in the form and for the sign-in.
function readCredentials() {
  const token = $('token')?.value.trim();
  const key = $('key').value.trim();
  if (/[^ -~]/.test(`${token ?? ''}${key}`)) throw new UserError('The pasted text contains characters that keys and tokens do not have. Copy it again.');
  const headers = accessToken ? { authorization: `Bearer ${accessToken}` } : {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (key && (authenticatesHere || uses('none') || key.startsWith('API-'))) headers['x-octopus-apikey'] = key;
  else if (key) headers.authorization = `Bearer ${key}`;
  return headers;
}

async function signIn(issuer) {
  const mine = startTurn(`Waiting for ${new URL(issuer.issuer).host}…`);
  try {
    const token = await requestToken(issuer);
    if (mine !== turn) return;
    accessToken = token;
    await showAccess();
  } catch (error) {
    if (mine === turn) showStatus('', error.message);
  }
}

// Starts a new request of the visitor, which replaces the previous one. Returns its number.
function startTurn(text) {
  turn += 1;
  showStatus(text);
  $('credential').querySelector('[type=submit]').disabled = false;
  return turn;
}

function forget() {
  startTurn('Credentials removed.');
  [credentialHeaders, accessToken] = [{}, ''];
  for (const input of $('fields').querySelectorAll('input')) input.value = '';
  for (const id of ['answer', 'calls', 'instances', 'instance-choice', 'forget']) $(id).hidden = true;
  for (const id of ['who', 'instance-list', 'toolset-list', 'limit-list', 'call-list', 'instance']) $(id).replaceChildren();
  showConfiguration();
  ($('fields').querySelector('label:not([hidden]) input') ?? $('credential').querySelector('[type=submit]')).focus();
}

// The access of the visitor.

// Loads the access at an instance. Throws a UserError if the credential does not work there.
async function loadAccess(instance) {
  const { serverInfo } = await sendRequest('server/discover', {}, instance);
  const [{ tools }, capabilities] = await Promise.all([
    sendRequest('tools/list', {}, instance),
    readResource('octopus://api/capabilities', instance).catch(() => null),
  ]);
  const has = (name) => tools.some((tool) => tool.name === name);
  const access = has('explain_access') ? await callTool('explain_access', instance) : null;
  if (access?.octopus.problem) throw new UserError(access.octopus.problem);
  // If `explain_access` is disabled, another call shows whether the credential works.
  if (!access) await callTool('list_spaces', instance);
  const instances = has('list_instances') || instance ? await callTool('list_instances').catch(() => null) : null;
  return { version: serverInfo?.version, access, tools, capabilities, instances };
}

async function showAccess() {
  const mine = startTurn('Loading…');
  const button = $('credential').querySelector('[type=submit]');
  button.disabled = true;
  const instance = $('at').value.trim();
  try {
    credentialHeaders = readCredentials();
    const { version, access, tools, capabilities, instances } = await loadAccess(instance);
    if (mine !== turn) return;
    const name = access?.octopus.instance ?? (instance || 'the default instance');
    $('version').textContent = version ?? server.version;
    showCaller(access, capabilities, name);
    if (instances && server.hasSeveralInstances) showInstances(instances.items, name);
    showTools(tools, capabilities?.tools ?? [], name);
    showLimits(access?.ceilings ?? []);
    $('answer').hidden = false;
    $('forget').hidden = false;
    showConfiguration();
    showStatus(access ? `Access of ${access.caller.name}:` : 'Your access:');
    await showCalls();
  } catch (error) {
    if (mine !== turn) return;
    $('answer').hidden = $('calls').hidden = true;
    showStatus('', error instanceof UserError ? error.message : `The page failed: ${error.message}`);
  } finally {
    if (mine === turn) button.disabled = false;
  }
}

function showCaller(access, capabilities, instance) {
  const { caller, octopus } = access ?? { caller: {}, octopus: { instance } };
  showFacts($('who'), [
    ['Caller', caller.name],
    ['Scope', caller.scope],
    ['Groups', (caller.groups ?? []).join(', ')],
    ['Valid until', caller.expires && formatTime(caller.expires)],
    ['Instance', server.hasSeveralInstances && octopus.instance],
    ['Octopus version', capabilities?.server?.version],
    ['Octopus user', octopus.username && `${octopus.username} (${octopus.user})`],
    ['Octopus credential', octopus.credential],
  ]);
}

function showInstances(items, current) {
  $('instance-list').replaceChildren(...items.map((one) => {
    const state = one.canAct ? (one.isReadOnly ? 'read-only' : 'read and write') : (one.reason ?? 'no access');
    const choose = el('button', { type: 'button', className: 'copy', text: one.name === current ? 'Shown' : 'Show', disabled: one.name === current });
    choose.append(el('span', { className: 'visually-hidden', text: ` ${one.name}` }));
    choose.addEventListener('click', () => {
      $('at').value = one.name;
      $('access').focus();
      showAccess();
    });
    return el('li', {},
      el('span', { className: 'name', text: one.name }, choose),
      el('span', { className: one.canAct && one.isReachable ? '' : 'bad', text: state }),
      el('span', { className: 'soft', text: [one.url, one.version].filter(Boolean).join(' · ') }));
  }));
  const chosen = $('instance').value;
  $('instance').replaceChildren(el('option', { value: '', text: 'default' }),
    ...items.filter((one) => one.canAct).map((one) => el('option', { value: one.name, text: one.name })));
  $('instance').value = [...$('instance').options].some((option) => option.value === chosen) ? chosen : '';
  $('instances').hidden = $('instance-choice').hidden = false;
}

function showTools(tools, known, instance) {
  const described = new Map(known.map((tool) => [tool.name, tool]));
  const listed = new Map(tools.map((tool) => [tool.name, tool]));
  const toolsets = new Map();
  for (const name of new Set([...listed.keys(), ...described.keys()])) {
    const toolset = described.get(name)?.toolset ?? 'tools';
    toolsets.set(toolset, [...(toolsets.get(toolset) ?? []), name]);
  }
  const changing = tools.filter((tool) => canChange(tool, described.get(tool.name))).length;
  const where = server.hasSeveralInstances ? ` at ${instance}` : '';
  $('tools-of').textContent = `${countTools(tools.length)}${where}, ${changing ? `${changing} of which can make changes` : 'all read-only'}.`;
  $('toolset-list').replaceChildren(...[...toolsets].map(([toolset, names]) => el('details', {},
    el('summary', {}, el('span', { className: 'name', text: toolset }), el('span', { className: 'soft', text: countTools(names.length) })),
    el('ul', {}, ...names.map((name) => toolLine(name, listed.get(name), described.get(name)))))));
}

// Returns whether a tool can make changes here. For tools whose effect depends on their arguments, the
// tiers that calls can have here decide.
function canChange(tool, known) {
  const tiers = known?.tiersAvailable;
  return tool?.annotations?.readOnlyHint === false && (!tiers || tiers.some((tier) => tier !== 'read'));
}

function toolLine(name, tool, known) {
  const description = tool?.description ?? known?.reason ?? 'not available at this instance';
  return el('li', {},
    el('code', { text: name }),
    canChange(tool, known) && el('span', { className: 'tag warn', text: 'makes changes' }),
    !tool && el('span', { className: 'tag soft', text: 'not available' }),
    el('div', { className: 'soft', text: firstSentence(description) }));
}

function firstSentence(text) {
  const end = text.indexOf('. ');
  return end < 0 ? text : text.slice(0, end + 1);
}

function showLimits(limits) {
  $('limit-list').replaceChildren(...limits.map((one) => el('li', {}, `${sentence(one.what)} `, el('span', { className: 'soft', text: sentence(one.changedBy) }))));
  $('limits').hidden = !limits.length;
}

function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

// Recent calls.

const RESULT_CLASSES = { done: 'good', repeated: 'good', failed: 'bad', refused: 'bad', abandoned: 'warn', declined: 'warn', asked: 'warn', sending: 'warn' };

// Loads the recent calls at all instances. Without a default instance, the request must name one.
function loadCalls() {
  const instance = $('at').value.trim();
  const read = (at) => readResource('octopus://caller/calls', at);
  return read('').catch((error) => (instance ? read(instance) : Promise.reject(error)));
}

async function showCalls() {
  const mine = turn;
  try {
    const { items, knownBy } = await loadCalls();
    if (mine !== turn) return;
    $('call-list').replaceChildren(...items.map(callLine));
    const shared = knownBy === 'none' ? 'Callers do not sign in to this server, so the list contains the calls of all callers. ' : '';
    $('calls-hint').textContent = `${shared}${items.length ? 'Up to 20 calls, newest first, without arguments and results.' : 'No calls yet.'} Each replica of the server has its own list, in memory.`;
    $('calls').hidden = false;
  } catch (error) {
    if (mine !== turn) return;
    $('call-list').replaceChildren();
    $('calls-hint').textContent = error.message;
    $('calls').hidden = false;
  }
}

function callLine(one) {
  const error = one.error ? ` (${one.error.replaceAll('_', ' ')})` : '';
  const target = [server.hasSeveralInstances && one.instance, one.space, one.project].filter(Boolean).join(' / ');
  const client = one.client === CLIENT ? 'this page' : one.client;
  const details = [target, ...(one.tasks ?? []), client].filter(Boolean).join(' · ');
  const time = el('time', { text: formatTime(one.time), dateTime: one.time, title: one.time });
  const duration = one.durationMs === undefined ? '' : ` · ${one.durationMs < 1000 ? `${one.durationMs} ms` : `${(one.durationMs / 1000).toFixed(1)} s`}`;
  return el('li', {},
    el('code', { text: one.tool }),
    el('span', { className: RESULT_CLASSES[one.result] ?? '', text: one.result + error }),
    el('span', { className: 'soft', text: details }),
    el('span', { className: 'soft' }, time, duration));
}

function formatTime(text) {
  const time = new Date(text);
  const sameDay = time.toDateString() === new Date().toDateString();
  return sameDay ? time.toLocaleTimeString() : time.toLocaleString();
}

if (!handleRedirect()) startPage();
