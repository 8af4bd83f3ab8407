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

function field(id, label, isRequired) {
  const input = el('input', { id, type: 'password', autocomplete: 'off', spellcheck: false, required: isRequired });
  input.setAttribute('aria-describedby', 'kept');
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
    proof = proved();
    show();
  });
}

// The headers for what was pasted.
function proved() {
  const token = $('token')?.value.trim();
  const key = $('key').value.trim();
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (key && (isProved || ways.includes('none') || key.startsWith('API-'))) headers['x-octopus-apikey'] = key;
  else if (key) headers.authorization = `Bearer ${key}`;
  return headers;
}

async function signed_in(issuer) {
  say(`Waiting for ${new URL(issuer.issuer).host}…`);
  try {
    proof = { authorization: `Bearer ${await sign_in(issuer)}` };
    await show();
  } catch (error) {
    say('', error.message);
  }
}

function forget() {
  proof = {};
  for (const input of $('fields').querySelectorAll('input')) input.value = '';
  for (const id of ['answer', 'calls', 'instances', 'instance-choice', 'forget']) $(id).hidden = true;
  for (const id of ['who', 'instance-list', 'toolset-list', 'limit-list', 'call-list', 'instance']) $(id).replaceChildren();
  configuration();
  say('Forgotten.');
}

// What the visitor may do.

async function show(instance = '') {
  say('Asking…');
  $('credential').querySelector('[type=submit]').disabled = true;
  try {
    const { serverInfo } = await ask('server/discover', {}, instance);
    $('version').textContent = serverInfo?.version ?? server.version;
    const [access, tools, offered] = await Promise.all([
      call('explain_access', instance),
      ask('tools/list', {}, instance),
      document_at('octopus://api/capabilities', instance).catch(() => null),
    ]);
    // Who cannot act there has no access to speak of.
    if (access.octopus.problem) throw new Refused(access.octopus.problem);
    const several = tools.tools.some((tool) => tool.name === 'list_instances');
    const instances = several || instance ? await call('list_instances').catch(() => null) : null;
    show_who(access, offered);
    if (instances) show_instances(instances.items, access.octopus.instance);
    show_tools(tools.tools, offered?.tools ?? [], access.octopus.instance);
    show_limits(access.ceilings);
    $('answer').hidden = false;
    $('forget').hidden = false;
    say(`This is what ${access.caller.name} may do.`);
    await show_calls();
  } catch (error) {
    $('answer').hidden = $('calls').hidden = true;
    say('', error instanceof Refused ? error.message : `This page failed: ${error.message}`);
  } finally {
    $('credential').querySelector('[type=submit]').disabled = false;
  }
}

function show_who({ caller, octopus }, offered) {
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
    choose.addEventListener('click', () => show(one.name));
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

async function show_calls() {
  try {
    const { items, knownBy } = await document_at('octopus://caller/calls');
    $('call-list').replaceChildren(...items.map(call_line));
    const whose = knownBy === 'none' ? 'This server does not tell its callers apart: these are the calls of everybody. ' : '';
    $('calls-hint').textContent = `${whose}${items.length ? 'The newest first, at most 20; without arguments and answers.' : 'None yet.'} Kept in the memory of the process that answered: another replica has its own.`;
    $('calls').hidden = false;
  } catch (error) {
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
