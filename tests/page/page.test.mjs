// The page for people, as a person meets it: in a browser, with a pointer and without, in light and dark.

import assert from 'node:assert/strict';
import { after, before, test as plain } from 'node:test';
import { launch, open, paste, picture, wrong } from './browser.mjs';
import { issuer } from './issuer.mjs';
import { KEY, call, octopus, serve, stop } from './servers.mjs';

const key = { 'x-octopus-apikey': KEY };
const OTHER_KEY = 'API-SAMPLE0000000000000000000FREIGHT';
const test = (name, run) => plain(name, { timeout: 60_000 }, run);
let browser;
let urls;
let authority;

before(async () => {
  browser = await launch();
  authority = await issuer();
  const instance = `url = "${octopus}"`;
  urls = {
    one: await serve('one', `[octopus]\n${instance}\n[auth]\nmode = "octopus"\n[tools]\nread_only = false\n[limits]\nunproven_rate = 0`),
    several: await serve('several', `[auth]\nmode = "octopus"\n[instances.europe]\n${instance}\ndefault = true\n[instances.asia]\n${instance}\nread_only = true`),
    apart: await serve('apart', `[auth]\nmode = "octopus"\n[instances.europe]\n${instance}\n[instances.asia]\n${instance}`),
    core: await serve('core', `[octopus]\n${instance}\n[auth]\nmode = "octopus"\n[tools]\ntoolsets = ["core"]`),
    open: await serve('open', `[octopus]\n${instance}\napi_key = "${KEY}"`),
    oauth: await serve('oauth', `[octopus]\n${instance}\napi_key = "${KEY}"\n[auth]\nmode = "oauth"\n[[auth.oauth.issuers]]\nissuer = "${authority.issuer}"\npage_client_id = "the-page"\naudiences = "api://octopus-mcp"`, 'allowed_hosts = "mcp.test"'),
  };
});

after(async () => {
  await browser?.close();
  authority?.close();
  await stop();
});

const root = (url) => url.replace(/mcp$/, '');

// What a page has to leave behind: no complaint, and no request to anybody else.
function is_clean(seen, url) {
  assert.deepEqual(seen.complaints, []);
  const foreign = seen.requests.filter((one) => !one.startsWith(root(url)) && !one.startsWith('data:'));
  assert.deepEqual(foreign, []);
}

test('a key shows what its owner may do, and what they called last', async () => {
  const { context, page, seen } = await open(browser, root(urls.one));
  assert.equal(await page.locator('#endpoint').textContent(), urls.one);
  await picture(page, 'light-before');
  await call(urls.one, 'list_spaces', key);
  await paste(page, KEY);
  assert.match(await page.locator('#who').textContent(), /API key .*octopus:admin.*Users-1/s);
  assert.match(await page.locator('#tools-of').textContent(), /^\d\d tools at .*; \d+ can change things\.$/);
  const sets = await page.locator('#toolset-list summary .name').allTextContents();
  assert.ok(sets.includes('deployments') && sets.includes('core'), sets.join());
  await page.locator('summary', { hasText: 'deployments' }).click();
  assert.match(await page.locator('details[open]').textContent(), /deploy_releasecan change things/);
  assert.ok((await page.locator('#call-list code').allTextContents()).includes('list_spaces'));
  await call(urls.one, 'get_current_user', key);
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.locator('#call-list code', { hasText: 'get_current_user' }).waitFor();
  await picture(page, 'light');
  is_clean(seen, urls.one);
  await context.close();
});

test('nothing is left in the browser', async () => {
  const { context, page, seen } = await open(browser, root(urls.one));
  await paste(page, KEY);
  assert.deepEqual(await context.cookies(), []);
  const stored = await page.evaluate(async () => ({
    local: localStorage.length, session: sessionStorage.length,
    databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length,
    address: location.href, markup: document.documentElement.outerHTML,
  }));
  assert.deepEqual([stored.local, stored.session, stored.databases, stored.caches], [0, 0, 0, 0]);
  assert.equal(stored.address, root(urls.one));
  assert.ok(!stored.markup.includes(KEY));
  await page.getByRole('button', { name: 'Forget' }).click();
  assert.ok(await page.locator('#answer').isHidden());
  assert.equal(await page.locator('#key').inputValue(), '');
  await page.reload();
  assert.ok(await page.locator('#answer').isHidden());
  is_clean(seen, urls.one);
  await context.close();
});

test('a wrong key is answered in the words of the server', async () => {
  const { context, page, seen } = await open(browser, root(urls.one));
  await paste(page, 'API-not a key');
  assert.match(await page.getByRole('alert').textContent(), /an Octopus API key looks like API-X+ \(HTTP 401\)/);
  assert.ok(await page.locator('#answer').isHidden());
  await picture(page, 'light-wrong-key');
  await paste(page, 'API-NOBODYSNOBODYSNOBODYSNOBODYS');
  assert.match(await page.getByRole('alert').textContent(), /^Octopus does not accept this credential: The API key/);
  assert.ok(await page.locator('#answer').isHidden());
  const unexpected = seen.complaints.filter((one) => !one.includes('401'));
  assert.deepEqual(unexpected, []);
  await context.close();
});

test('names that are markup stay text', async () => {
  const name = '<img src=x onerror="document.title=1">';
  await call(urls.one, name, { 'x-octopus-apikey': OTHER_KEY });
  const { context, page, seen } = await open(browser, root(urls.one));
  await paste(page, OTHER_KEY);
  await page.locator('#call-list code', { hasText: name }).waitFor();
  assert.equal(await page.locator('#call-list img').count(), 0);
  assert.equal(await page.title(), 'Octopus Deploy over MCP');
  assert.ok(!(await page.locator('#call-list').textContent()).includes('list_spaces'), 'calls of another');
  is_clean(seen, urls.one);
  await context.close();
});

test('of several instances one is chosen, for the page and for clients', async () => {
  const { context, page, seen } = await open(browser, root(urls.several));
  await paste(page, KEY);
  assert.equal(await page.locator('#instance-list > li').count(), 2);
  assert.match(await page.locator('#instance-list').textContent(), /asia.*you may read/s);
  await page.getByRole('button', { name: 'Show asia' }).click();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'access', 'the button is gone, and the focus is near');
  await page.locator('#tools-of', { hasText: 'at asia; none changes anything' }).waitFor();
  await page.getByRole('combobox', { name: 'Instance', exact: true }).selectOption('asia');
  await page.getByLabel('Nothing that changes Octopus').check();
  assert.match(await page.locator('#block-0').textContent(), /\/mcp\/i\/asia\/readonly/);
  await picture(page, 'light-several');
  is_clean(seen, urls.several);
  await context.close();
});

test('what is copied is what is shown, for each client and form', async () => {
  const { context, page, seen } = await open(browser, root(urls.open));
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  await page.getByRole('button', { name: /^Copy the address/ }).click();
  await page.locator('#status', { hasText: 'Copied' }).waitFor();
  assert.equal(await copied(), urls.open);
  const clients = await page.locator('#client-names label').allTextContents();
  assert.equal(clients.length, 11);
  for (const client of clients) {
    await page.getByLabel(client, { exact: true }).check();
    for (const form of ['Nothing', 'Octopus API key']) {
      await page.locator('#form-names').getByLabel(form, { exact: true }).check();
      const text = await page.locator('#configuration').textContent();
      if (text.startsWith('This client has no such form')) {
        assert.deepEqual([client, form], ['AWS DevOps Agent', 'Nothing']);
        continue;
      }
      assert.ok(text.includes(urls.open), `${client}: ${text}`);
      assert.ok(!text.includes('{{'), `${client}: ${text}`);
      assert.equal(text.includes('X-Octopus-ApiKey'), form !== 'Nothing', `${client}: ${text}`);
      for (const button of await page.locator('#configuration button').all()) {
        await button.click();
        const block = page.locator(`#${await button.getAttribute('data-copies')}`);
        await page.waitForFunction(async (wanted) => await navigator.clipboard.readText() === wanted, await block.textContent());
      }
    }
  }
  is_clean(seen, urls.open);
  await context.close();
});

test('the keyboard is enough, and what has the focus is seen', async () => {
  const { context, page, seen } = await open(browser, root(urls.one));
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
  const until = async (wanted) => {
    for (let presses = 0; presses < 60; presses += 1) {
      await page.keyboard.press('Tab');
      const outline = await page.evaluate(() => {
        const one = document.activeElement;
        const shown = one.matches('.choice input') ? one.parentElement : one;
        return one === document.body ? 'solid' : getComputedStyle(shown).outlineStyle;
      });
      assert.equal(outline, 'solid', await focused());
      if (wanted.test(await focused())) return;
    }
    assert.fail(`${wanted} is not reached`);
  };
  await until(/^Skip/);
  await page.keyboard.press('Enter');
  await until(/^key$/);
  await page.keyboard.type(KEY);
  await page.keyboard.press('Enter');
  await page.locator('#answer:visible').waitFor();
  await until(/^core/);
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('details[open]').count(), 1);
  await until(/^refresh$/);
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowRight');
  assert.match(await page.locator('#configuration').textContent(), /Connectors of Claude/);
  is_clean(seen, urls.one);
  await context.close();
});

for (const dark of [false, true]) {
  const scheme = dark ? 'dark' : 'light';
  test(`nothing bars anybody: ${scheme}`, async () => {
    const { context, page, seen } = await open(browser, root(urls.several), { dark });
    assert.deepEqual(await wrong(page), []);
    await paste(page, 'API-short');
    assert.deepEqual(await wrong(page), []);
    await paste(page, KEY);
    for (const summary of await page.locator('summary').all()) await summary.click();
    assert.deepEqual(await wrong(page), []);
    await picture(page, `${scheme}-everything`);
    const unexpected = seen.complaints.filter((one) => !one.includes('401'));
    assert.deepEqual(unexpected, []);
    await context.close();
  });

  test(`a narrow window scrolls in one direction: ${scheme}`, async () => {
    const { context, page, seen } = await open(browser, root(urls.several), { dark, width: 320 });
    const width = () => page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(await width(), 320);
    await paste(page, KEY);
    for (const summary of await page.locator('summary').all()) await summary.click();
    for (const label of await page.locator('#client-names label').all()) {
      await label.click();
      assert.equal(await width(), 320, await label.textContent());
    }
    for (const summary of await page.locator('summary').all()) await summary.click();
    await picture(page, `${scheme}-narrow`);
    is_clean(seen, urls.several);
    await context.close();
  });
}

test('people sign in, and the token is for this endpoint and nowhere kept', async () => {
  const { context, page, seen } = await open(browser, root(urls.oauth));
  const began = authority.asked.length;
  await page.getByRole('button', { name: /^Sign in with 127/ }).click();
  await page.locator('#answer:visible').waitFor();
  assert.match(await page.locator('#who').textContent(), /grace@example\.com/);
  const [asked] = authority.asked.slice(began);
  assert.equal(asked.resource, undefined, 'its tokens are for another name');
  assert.equal(asked.code_challenge_method, 'S256');
  assert.equal(asked.client_id, 'the-page');
  assert.equal(asked.redirect_uri, root(urls.oauth));
  assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0);
  await picture(page, 'light-signed-in');
  const allowed = [root(urls.oauth), authority.issuer, 'data:', 'about:'];
  assert.deepEqual(seen.requests.filter((one) => !allowed.some((begin) => one.startsWith(begin))), []);
  assert.deepEqual(seen.complaints, []);
  await context.close();
});

test('an answer of another sign-in, or of another issuer, is not taken', async () => {
  const { context, page } = await open(browser, root(urls.oauth));
  authority.answer = (query) => ({ ...query, iss: 'https://other.example' });
  await page.getByRole('button', { name: /^Sign in with 127/ }).click();
  await page.getByRole('alert').filter({ hasText: 'another authorization server' }).waitFor();
  authority.says = { authorization_response_iss_parameter_supported: true };
  authority.answer = ({ code, state }) => ({ code, state });
  await page.getByRole('button', { name: /^Sign in with 127/ }).click();
  await page.getByRole('alert').filter({ hasText: 'another authorization server' }).waitFor();
  authority.says = { authorization_endpoint: 'javascript:alert(1)' };
  await page.getByRole('button', { name: /^Sign in with 127/ }).click();
  await page.getByRole('alert').filter({ hasText: 'does not say to this page where to sign in' }).waitFor();
  authority.says = { token_endpoint: 'https://tokens.example/token' };
  await page.getByRole('button', { name: /^Sign in with 127/ }).click();
  await page.getByRole('alert').filter({ hasText: 'Tokens come from https://tokens.example, which this page may not ask' }).waitFor();
  authority.says = {};
  authority.answer = (query) => ({ state: query.state, error: 'access_denied', error_description: 'Nobody is allowed <b>in</b>.' });
  await page.getByRole('button', { name: /^Sign in with 127/ }).click();
  await page.getByRole('alert').filter({ hasText: 'Nobody is allowed <b>in</b>.' }).waitFor();
  authority.answer = (query) => ({ ...query, state: 'of-somebody-else' });
  const began = authority.asked.length;
  const tokens = authority.tokens;
  await page.getByRole('button', { name: /^Sign in with 127/ }).click();
  await page.waitForFunction(() => document.getElementById('status').textContent.startsWith('Waiting'));
  for (let pages = context.pages(); authority.asked.length === began || pages.length > 1; pages = context.pages()) {
    await Promise.race([...pages.slice(1).map((one) => one.waitForEvent('close')), page.waitForTimeout(50)]);
  }
  assert.match(await page.locator('#status').textContent(), /Waiting/);
  assert.ok(await page.locator('#answer').isHidden());
  authority.answer = (query) => query;
  await page.getByRole('button', { name: /^Sign in with 127/ }).click();
  await page.locator('#answer:visible').waitFor();
  assert.equal(authority.tokens, tokens + 1, 'nobody asked for a token for the answer of another');
  await context.close();
});

test('where nothing is encrypted, signing in says so and opens nothing', async () => {
  const { context, page } = await open(browser, root(urls.oauth).replace('127.0.0.1', 'mcp.test'));
  await page.getByRole('button', { name: /^Sign in with 127/ }).click();
  await page.getByRole('alert').filter({ hasText: 'Signing in needs https' }).waitFor();
  assert.equal(context.pages().length, 1);
  await context.close();
});

test('what is said later has its place before', async () => {
  const { context, page } = await open(browser, root(urls.one));
  for (const place of ['status', 'problem']) {
    assert.notEqual(await page.locator(`#${place}`).evaluate((one) => getComputedStyle(one).display), 'none', place);
  }
  await context.close();
});

test('who signed in may add a key of their own, and is forgotten with it', async () => {
  const { context, page } = await open(browser, root(urls.oauth));
  await page.getByRole('button', { name: /^Sign in with 127/ }).click();
  await page.locator('#answer:visible').waitFor();
  const sent = page.waitForRequest((request) => request.method() === 'POST' && request.url() === urls.oauth);
  await page.locator('#key').fill(OTHER_KEY);
  await page.getByRole('button', { name: 'Show my access' }).click();
  const headers = await (await sent).allHeaders();
  assert.match(headers.authorization, /^Bearer /);
  assert.equal(headers['x-octopus-apikey'], OTHER_KEY);
  await page.locator('#forget:visible').click();
  assert.ok(await page.locator('#token, #key').first().evaluate((one) => one === document.activeElement));
  await page.getByRole('button', { name: 'Show my access' }).click();
  await page.getByRole('alert').filter({ hasText: '401' }).waitFor();
  await context.close();
});

test('without a default instance one is named', async () => {
  const { context, page } = await open(browser, root(urls.apart));
  await paste(page, KEY);
  assert.match(await page.getByRole('alert').textContent(), /asia/);
  await page.locator('#at').fill('asia');
  assert.match(await page.locator('#block-0').textContent(), /\/mcp\/i\/asia/);
  await page.getByRole('button', { name: 'Show my access' }).click();
  await page.locator('#tools-of', { hasText: 'at asia' }).waitFor();
  await page.locator('#call-list code', { hasText: 'explain_access' }).first().waitFor();
  await context.close();
});

test('where access is not explained, the tools are there all the same', async () => {
  const { context, page, seen } = await open(browser, root(urls.core));
  await paste(page, 'API-NOBODYSNOBODYSNOBODYSNOBODYS');
  assert.match(await page.getByRole('alert').textContent(), /does not accept/);
  await paste(page, KEY);
  await page.locator('#toolset-list', { hasText: 'core' }).waitFor();
  await page.locator('#status', { hasText: 'This is what you may do.' }).waitFor();
  is_clean(seen, urls.core);
  await context.close();
});

test('what is still under way brings nothing back that was forgotten', async () => {
  const { context, page } = await open(browser, root(urls.one));
  await paste(page, KEY);
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  const began = page.waitForRequest(urls.one);
  await page.route(urls.one, async (route) => { await held; await route.continue(); });
  await page.getByRole('button', { name: 'Show my access' }).click();
  await began;
  await page.getByRole('button', { name: 'Forget' }).click();
  const answered = page.waitForResponse(urls.one);
  release();
  await answered;
  await page.unroute(urls.one);
  // What comes after those answers is asked and shown, and still nothing of the other.
  await page.locator('#key').fill('API-\u200bSAMPLE');
  await page.getByRole('button', { name: 'Show my access' }).click();
  await page.getByRole('alert').filter({ hasText: 'characters that no key or token has' }).waitFor();
  assert.ok(await page.locator('#answer').isHidden());
  assert.equal(await page.locator('#who').textContent(), '');
  await context.close();
});
