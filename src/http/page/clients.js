// Client configurations to copy: the blocks of clients.json, filled with the values of this server.

const API_KEY = { form: 'key', label: 'Octopus API key', header: 'X-Octopus-ApiKey', scheme: '', variable: 'OCTOPUS_API_KEY', secret: 'API-YOURKEY' };
const TOKEN = { form: 'token', label: 'Token', header: 'Authorization', scheme: 'Bearer ', variable: 'OCTOPUS_MCP_TOKEN', secret: 'YOUR-TOKEN' };
const SIGN_IN = { form: 'sign-in', label: 'Sign-in (OAuth)' };
const NO_CREDENTIAL = { form: 'none', label: 'None' };

// Returns the kinds of credentials that this server accepts from clients, the most common first.
function credentialForms() {
  return [
    uses('oauth') && SIGN_IN,
    (uses('none') || uses('proxy') || uses('certificate')) && NO_CREDENTIAL,
    (uses('octopus') || uses('none')) && API_KEY,
    acceptsBearerToken && TOKEN,
  ].filter(Boolean);
}

function addRadios(parent, group, entries) {
  parent.replaceChildren(...entries.map(([value, label], index) => el('label', {},
    el('input', { type: 'radio', name: group, value, checked: index === 0 }), label)));
}

// Returns the endpoint for the chosen instance and access.
function clientUrl() {
  const instance = $('instance-choice').hidden ? $('at').value.trim() : $('instance').value;
  const base = server.endpoint + (instance ? `/i/${encodeURIComponent(instance)}` : '');
  return $('readonly').checked ? `${base}/readonly` : base;
}

function fillPlaceholders(text, form) {
  const values = { ...form, url: clientUrl() };
  return text.replaceAll(/\{\{(\w+)\}\}/g, (placeholder, name) => values[name] ?? placeholder);
}

function showConfiguration() {
  const chosen = new FormData($('choices'));
  const client = clients.find(({ id }) => id === chosen.get('client')) ?? clients[0];
  const form = credentialForms().find((one) => one.form === chosen.get('form')) ?? credentialForms()[0];
  const usesHeader = form === API_KEY || form === TOKEN;
  const blocks = usesHeader ? client.header : (form === NO_CREDENTIAL && client.open) || client.plain;
  const matching = blocks.filter((block) => !block.for || block.for === form.form);
  const notes = [usesHeader ? client.headerNote : form === SIGN_IN && client.signIn, client.note];
  if (!matching.length) notes.unshift('This client requires a credential.');
  $('configuration').replaceChildren(
    ...matching.map((block, index) => configurationBlock(block, form, `block-${index}`)),
    ...notes.filter(Boolean).map((note) => el('p', { className: 'hint', text: fillPlaceholders(note, form) })));
}

function configurationBlock(block, form, id) {
  if (block.steps) {
    return el('ol', {}, ...block.steps.map((step) => el('li', { text: fillPlaceholders(step, form) })));
  }
  const text = fillPlaceholders(block.lines.join('\n'), form);
  return el('figure', {},
    el('figcaption', {}, el('span', { text: block.where }), copyButton(id, block.where)),
    el('pre', { id, text }));
}

// Returns a button that copies the text of the element with this ID.
function copyButton(id, name) {
  const button = el('button', { type: 'button', className: 'copy', text: 'Copy' }, el('span', { className: 'visually-hidden', text: `: ${name}` }));
  button.dataset.copies = id;
  return button;
}

async function copy(button) {
  const source = $(button.dataset.copies);
  try {
    await navigator.clipboard.writeText(source.textContent);
    confirmCopy(button, 'Copied');
  } catch {
    // The clipboard is only available in secure contexts.
    getSelection().selectAllChildren(source);
    confirmCopy(button, 'Selected: press Ctrl+C');
  }
}

// Shows the result in the button that was pressed, and announces it to screen readers.
function confirmCopy(button, result) {
  const [label] = button.childNodes;
  label.textContent = result;
  button.classList.add('copied');
  $('announcement').textContent = result;
  setTimeout(() => {
    label.textContent = 'Copy';
    button.classList.remove('copied');
    $('announcement').textContent = '';
  }, 2_000);
}

// Shows that the server uses the sample instance, with questions to try.
function showSample() {
  $('sample').hidden = !server.sampleQuestions.length;
  $('question-list').replaceChildren(...server.sampleQuestions.map((question, index) => el('li', {},
    el('span', { id: `question-${index}`, text: question }), copyButton(`question-${index}`, `question ${index + 1}`))));
}

function startPage() {
  $('endpoint').textContent = server.endpoint;
  showServer();
  showSample();
  buildCredentialForm();
  addRadios($('client-names'), 'client', clients.map(({ id, name }) => [id, name]));
  addRadios($('form-names'), 'form', credentialForms().map(({ form, label }) => [form, label]));
  $('forms').hidden = credentialForms().length < 2;
  $('readonly-choice').hidden = !server.allowsChanges;
  $('choices').addEventListener('change', showConfiguration);
  $('at').addEventListener('input', showConfiguration);
  $('choices').addEventListener('submit', (event) => event.preventDefault());
  $('refresh').addEventListener('click', showCalls);
  document.addEventListener('click', ({ target }) => {
    const button = target.closest?.('button[data-copies]');
    if (button) copy(button);
  });
  showConfiguration();
}
