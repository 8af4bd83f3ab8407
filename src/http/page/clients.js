// Configuration to copy, for each client: the blocks of clients.json with the values of this server.

const KEY = { form: 'key', label: 'Octopus API key', header: 'X-Octopus-ApiKey', scheme: '', variable: 'OCTOPUS_API_KEY', secret: 'API-YOURKEY' };
const TOKEN = { form: 'token', label: 'Token in a header', header: 'Authorization', scheme: 'Bearer ', variable: 'OCTOPUS_MCP_TOKEN', secret: 'YOUR-TOKEN' };
const SIGN_IN = { form: 'sign-in', label: 'Sign-in (OAuth)' };
const NOTHING = { form: 'nothing', label: 'Nothing' };

// The forms that this server takes, the usual one first.
function forms() {
  return [
    ways.includes('oauth') && SIGN_IN,
    (ways.includes('none') || ways.includes('proxy') || ways.includes('certificate')) && NOTHING,
    (ways.includes('octopus') || ways.includes('none')) && KEY,
    takesBearer && TOKEN,
  ].filter(Boolean);
}

function radios(place, group, entries) {
  place.replaceChildren(...entries.map(([value, label], index) => el('label', {},
    el('input', { type: 'radio', name: group, value, checked: index === 0 }), label)));
}

function address() {
  const instance = $('instance-choice').hidden ? $('at').value.trim() : $('instance').value;
  const base = server.endpoint + (instance ? `/i/${encodeURIComponent(instance)}` : '');
  return $('readonly').checked ? `${base}/readonly` : base;
}

function filled(text, form) {
  const values = { ...form, url: address() };
  return text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name) => values[name] ?? whole);
}

function configuration() {
  const chosen = new FormData($('choices'));
  const client = clients.find((one) => one.id === chosen.get('client')) ?? clients[0];
  const form = forms().find((one) => one.form === chosen.get('form')) ?? forms()[0];
  const takesHeader = form === KEY || form === TOKEN;
  const blocks = takesHeader ? client.header : (form === NOTHING && client.open) || client.plain;
  const fitting = blocks.filter((block) => !block.for || block.for === form.form);
  const notes = [takesHeader ? client.headerNote : form === SIGN_IN && client.signIn, client.note];
  if (!fitting.length) notes.unshift('This client has no such form.');
  $('configuration').replaceChildren(
    ...fitting.map((block, index) => figure(block, form, `block-${index}`)),
    ...notes.filter(Boolean).map((note) => el('p', { className: 'hint', text: filled(note, form) })));
}

function figure(block, form, id) {
  if (block.steps) {
    return el('ol', {}, ...block.steps.map((step) => el('li', { text: filled(step, form) })));
  }
  const text = filled(block.lines.join('\n'), form);
  return el('figure', {},
    el('figcaption', {}, el('span', { text: block.where }), copier(id, block.where)),
    el('pre', { id, text }));
}

function copier(id, what) {
  const button = el('button', { type: 'button', className: 'copy', text: 'Copy' }, el('span', { className: 'unseen', text: `: ${what}` }));
  button.dataset.copies = id;
  return button;
}

async function copy(button) {
  const source = $(button.dataset.copies);
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    // Without a secure context there is no clipboard; the selection is copied by hand.
    getSelection().selectAllChildren(source);
    say('The text is selected; copy it with the keyboard.');
    return;
  }
  const [word] = button.childNodes;
  word.textContent = 'Copied';
  say('Copied.');
  setTimeout(() => { word.textContent = 'Copy'; }, 2_000);
}

function begin() {
  $('endpoint').textContent = server.endpoint;
  $('version').textContent = server.version;
  $('known-by').textContent = ways.map((way) => KNOWN_BY[way]).join('; ');
  form();
  radios($('client-names'), 'client', clients.map((one) => [one.id, one.name]));
  radios($('form-names'), 'form', forms().map((one) => [one.form, one.label]));
  $('forms').hidden = forms().length < 2;
  $('choices').addEventListener('change', configuration);
  $('at').addEventListener('input', configuration);
  $('choices').addEventListener('submit', (event) => event.preventDefault());
  $('refresh').addEventListener('click', show_calls);
  document.addEventListener('click', ({ target }) => {
    const button = target.closest?.('button[data-copies]');
    if (button) copy(button);
  });
  configuration();
}
