// What the visitor sees. Nothing of theirs or of Octopus is ever made into markup: text is set as text.

const clients = JSON.parse(document.getElementById('clients').textContent);
const $ = (id) => document.getElementById(id);

// An element with a class, text and what stands in it.
function el(tag, { text, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  if (text !== undefined) element.textContent = text;
  element.append(...children.filter(Boolean));
  return element;
}

function facts(list, entries) {
  const shown = entries.filter(([, value]) => value !== undefined && value !== null && value !== '');
  list.replaceChildren(...shown.map(([name, value]) => el('div', {}, el('dt', { text: name }), el('dd', {}, value))));
}

const { ways } = server;
const KNOWN_BY = {
  octopus: 'their Octopus API key or access token',
  none: 'nothing; the server acts with its own key unless one is sent',
  tokens: 'a token of this server',
  oauth: 'signing in (OAuth)',
  proxy: 'the proxy in front of this server',
  certificate: 'the certificate of the client',
};

function say(words, problem = '') {
  $('status').textContent = words;
  $('problem').textContent = problem;
}

// The form: what this server takes.

const takesBearer = ways.includes('tokens') || ways.includes('oauth');
const isProved = !ways.includes('octopus') && !ways.includes('none');

// The token that came of signing in, for as long as the page is open.
let signedIn = '';
// Which of all that was asked for is shown: the last. What comes of another is too late.
let turn = 0;

function field(id, label, isRequired, type = 'password') {
  const input = el('input', { id, type, autocomplete: 'off', spellcheck: false, required: isRequired });
  if (type === 'password') input.setAttribute('aria-describedby', 'kept');
  return el('label', { className: 'field', text: label }, input);
}

function form() {
  const takesBoth = ways.includes('oauth') && ways.includes('tokens');
  const bearer = takesBoth ? 'Access token, or token of this server' : ways.includes('oauth') ? 'Access token' : 'Token of this server';
  const key = isProved ? 'Your own Octopus API key (if you act with it)' : 'Octopus API key or access token';
  const forgotten = el('button', { type: 'button', id: 'forget', text: 'Forget', hidden: true });
  forgotten.addEventListener('click', forget);
  const optional = ways.includes('none') ? ' (left out, the server uses its own)' : '';
  $('fields').append(
    ...(takesBearer ? [field('token', bearer, !server.signIn.length && !ways.includes('proxy') && !ways.includes('certificate'))] : []),
    field('key', (ways.includes('none') ? 'Octopus API key' : key) + optional, ways.includes('octopus')),
    field('at', 'At the instance (left out, the default)', false, 'text'),
    el('button', { type: 'submit', className: server.signIn.length ? '' : 'main', text: 'Show my access' }),
    forgotten,
  );
  for (const issuer of server.signIn) {
    const button = el('button', { type: 'button', className: 'main', text: `Sign in with ${new URL(issuer.issuer).host}` });
    button.addEventListener('click', () => signed_in(issuer));
    $('sign-in').append(button);
    $('sign-in').hidden = false;
  }
  $('credential').addEventListener('submit', (event) => {
    event.preventDefault();
    show();
  });
}

// The headers for what was pasted, and for who signed in.
function proved() {
  const token = $('token')?.value.trim();
  const key = $('key').value.trim();
  if (/[^ -~]/.test(`${token ?? ''}${key}`)) throw new Refused('What was pasted holds characters that no key or token has; copy it again.');
  const headers = signedIn ? { authorization: `Bearer ${signedIn}` } : {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (key && (isProved || ways.includes('none') || key.startsWith('API-'))) headers['x-octopus-apikey'] = key;
  else if (key) headers.authorization = `Bearer ${key}`;
  return headers;
}

async function signed_in(issuer) {
  const mine = begins(`Waiting for ${new URL(issuer.issuer).host}…`);
  try {
    const token = await sign_in(issuer);
    if (mine !== turn) return;
    signedIn = token;
    await show();
  } catch (error) {
    if (mine === turn) say('', error.message);
  }
}

// Something is asked for, in the place of what was before.
function begins(words) {
  turn += 1;
  say(words);
  $('credential').querySelector('[type=submit]').disabled = false;
  return turn;
}

function forget() {
  begins('Forgotten.');
  [proof, signedIn] = [{}, ''];
  for (const input of $('fields').querySelectorAll('input')) input.value = '';
  for (const id of ['answer', 'calls', 'instances', 'instance-choice', 'forget']) $(id).hidden = true;
  for (const id of ['who', 'instance-list', 'toolset-list', 'limit-list', 'call-list', 'instance']) $(id).replaceChildren();
  configuration();
  $('credential').querySelector('input').focus();
}

// What the visitor may do.

// Everything that is shown of the visitor's access there. Whoever cannot act there has none to speak of.
async function look(instance) {
  const { serverInfo } = await ask('server/discover', {}, instance);
  const [{ tools }, offered] = await Promise.all([
    ask('tools/list', {}, instance),
    document_at('octopus://api/capabilities', instance).catch(() => null),
  ]);
  const has = (name) => tools.some((tool) => tool.name === name);
  // Not every server has it on; another question then tells whether the credential is good.
  const access = has('explain_access') ? await call('explain_access', instance) : null;
  if (access?.octopus.problem) throw new Refused(access.octopus.problem);
  if (!access) await call('list_spaces', instance);
  const instances = has('list_instances') || instance ? await call('list_instances').catch(() => null) : null;
  return { version: serverInfo?.version, access, tools, offered, instances };
}

async function show() {
  const mine = begins('Asking…');
  const button = $('credential').querySelector('[type=submit]');
  button.disabled = true;
  const instance = $('at').value.trim();
  try {
    proof = proved();
    const { version, access, tools, offered, instances } = await look(instance);
    if (mine !== turn) return;
    const place = access?.octopus.instance ?? (instance || 'the default instance');
    $('version').textContent = version ?? server.version;
    show_who(access, offered, place);
    if (instances) show_instances(instances.items, place);
    show_tools(tools, offered?.tools ?? [], place);
    show_limits(access?.ceilings ?? []);
    $('answer').hidden = false;
    $('forget').hidden = false;
    configuration();
    say(access ? `This is what ${access.caller.name} may do.` : 'This is what you may do.');
    await show_calls();
  } catch (error) {
    if (mine !== turn) return;
    $('answer').hidden = $('calls').hidden = true;
    say('', error instanceof Refused ? error.message : `This page failed: ${error.message}`);
  } finally {
    if (mine === turn) button.disabled = false;
  }
}

function show_who(access, offered, place) {
  const { caller, octopus } = access ?? { caller: {}, octopus: { instance: place } };
  facts($('who'), [
    ['You', caller.name],
    ['At most', caller.scope],
    ['Groups', (caller.groups ?? []).join(', ')],
    ['Good until', caller.expires && moment(caller.expires)],
    ['Instance', octopus.instance],
    ['Octopus', offered?.server?.version],
    ['Acts as', octopus.username && `${octopus.username} (${octopus.user})`],
    ['With', octopus.credential],
  ]);
}

function show_instances(items, current) {
  $('instance-list').replaceChildren(...items.map((one) => {
    const state = one.canAct ? (one.isReadOnly ? 'you may read' : 'you may read and change') : (one.reason ?? 'you cannot act');
    const choose = el('button', { type: 'button', className: 'copy', text: one.name === current ? 'Shown' : 'Show', disabled: one.name === current });
    choose.append(el('span', { className: 'unseen', text: ` ${one.name}` }));
    choose.addEventListener('click', () => {
      $('at').value = one.name;
      $('access').focus();
      show();
    });
    return el('li', {},
      el('span', { className: 'name', text: one.name }, choose),
      el('span', { className: one.canAct && one.isReachable ? '' : 'bad', text: state }),
      el('span', { className: 'soft', text: [one.url, one.version].filter(Boolean).join(' · ') }));
  }));
  const chosen = $('instance').value;
  $('instance').replaceChildren(el('option', { value: '', text: 'the default' }),
    ...items.filter((one) => one.canAct).map((one) => el('option', { value: one.name, text: one.name })));
  $('instance').value = [...$('instance').options].some((option) => option.value === chosen) ? chosen : '';
  $('instances').hidden = $('instance-choice').hidden = false;
}

function show_tools(tools, offered, instance) {
  const known = new Map(offered.map((tool) => [tool.name, tool]));
  const listed = new Map(tools.map((tool) => [tool.name, tool]));
  const sets = new Map();
  for (const name of new Set([...listed.keys(), ...known.keys()])) {
    const set = known.get(name)?.toolset ?? 'tools';
    sets.set(set, [...(sets.get(set) ?? []), name]);
  }
  const changing = tools.filter((tool) => can_change(tool, known.get(tool.name))).length;
  $('tools-of').textContent = `${tools.length} tools at ${instance}; ${changing ? `${changing} can change things` : 'none changes anything'}.`;
  $('toolset-list').replaceChildren(...[...sets].map(([set, names]) => el('details', {},
    el('summary', {}, el('span', { className: 'name', text: set }), el('span', { className: 'soft', text: names.length === 1 ? '1 tool' : `${names.length} tools` })),
    el('ul', {}, ...names.map((name) => line(name, listed.get(name), known.get(name)))))));
}

// Of a tool whose arguments decide, it is said what its calls may do here.
function can_change(tool, known) {
  const tiers = known?.tiersAvailable;
  return tool?.annotations?.readOnlyHint === false && (!tiers || tiers.some((tier) => tier !== 'read'));
}

function line(name, tool, known) {
  const description = tool?.description ?? known?.reason ?? 'not at this instance';
  const changes = can_change(tool, known);
  return el('li', {},
    el('code', { text: name }),
    changes && el('span', { className: 'tag warn', text: 'can change things' }),
    !tool && el('span', { className: 'tag soft', text: 'not here' }),
    el('div', { className: 'soft', text: first(description) }));
}

function first(text) {
  const end = text.indexOf('. ');
  return end < 0 ? text : text.slice(0, end + 1);
}

function show_limits(ceilings) {
  $('limit-list').replaceChildren(...ceilings.map((one) => el('li', {}, `${sentence(one.what)} `, el('span', { className: 'soft', text: sentence(one.changedBy) }))));
  $('limits').hidden = !ceilings.length;
}

function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

// The last calls.

const RESULTS = { done: 'good', repeated: 'good', failed: 'bad', refused: 'bad', abandoned: 'warn', declined: 'warn', asked: 'warn', sending: 'warn' };

// At all instances; or at the one that was named, where there is no default.
function last_calls() {
  const instance = $('at').value.trim();
  const read = (at) => document_at('octopus://caller/calls', at);
  return read('').catch((error) => (instance ? read(instance) : Promise.reject(error)));
}

async function show_calls() {
  const mine = turn;
  try {
    const { items, knownBy } = await last_calls();
    if (mine !== turn) return;
    $('call-list').replaceChildren(...items.map(call_line));
    const whose = knownBy === 'none' ? 'This server does not tell its callers apart: these are the calls of everybody. ' : '';
    $('calls-hint').textContent = `${whose}${items.length ? 'The newest first, at most 20; without arguments and answers.' : 'None yet.'} Kept in the memory of the process that answered: another replica has its own.`;
    $('calls').hidden = false;
  } catch (error) {
    if (mine !== turn) return;
    $('call-list').replaceChildren();
    $('calls-hint').textContent = error.message;
    $('calls').hidden = false;
  }
}

function call_line(one) {
  const error = one.error ? ` (${one.error.replaceAll('_', ' ')})` : '';
  const place = [one.instance, one.space, one.project].filter(Boolean).join(' / ');
  const client = one.client === CLIENT ? 'this page' : one.client;
  const more = [place, ...(one.tasks ?? []), client].filter(Boolean).join(' · ');
  const time = el('time', { text: moment(one.time), dateTime: one.time, title: one.time });
  const took = one.durationMs === undefined ? '' : ` · ${one.durationMs < 1000 ? `${one.durationMs} ms` : `${(one.durationMs / 1000).toFixed(1)} s`}`;
  return el('li', {},
    el('code', { text: one.tool }),
    el('span', { className: RESULTS[one.result] ?? '', text: one.result + error }),
    el('span', { className: 'soft', text: more }),
    el('span', { className: 'soft' }, time, took));
}

function moment(text) {
  const time = new Date(text);
  const sameDay = time.toDateString() === new Date().toDateString();
  return sameDay ? time.toLocaleTimeString() : time.toLocaleString();
}

if (!came_back()) begin();
