// The access that the page shows for a key: tools, instance, and the caller's own recent calls.

import assert from 'node:assert/strict';
import { open, paste, picture } from './browser.mjs';
import { KEY, call } from './servers.mjs';
import { OTHER_KEY, browser, is_clean, key, root, start, test, urls } from './setup.mjs';

start('one', 'apart', 'core');

test('a key shows the access and the recent calls of its owner', async () => {
  const { context, page, seen } = await open(browser, root(urls.one));
  assert.equal(await page.locator('#endpoint').textContent(), urls.one);
  await picture(page, 'light-before');
  await call(urls.one, 'list_spaces', key);
  await paste(page, KEY);
  assert.match(await page.locator('#who').textContent(), /API key .*octopus:admin.*Users-1/s);
  assert.match(await page.locator('#tools-of').textContent(), /^\d\d tools, \d+ of which can make changes\.$/);
  const sets = await page.locator('#toolset-list summary .name').allTextContents();
  assert.ok(sets.includes('deployments') && sets.includes('core'), sets.join());
  await page.locator('summary', { hasText: 'deployments' }).click();
  assert.match(await page.locator('details[open]').textContent(), /deploy_releasemakes changes/);
  assert.ok((await page.locator('#call-list code').allTextContents()).includes('list_spaces'));
  await call(urls.one, 'get_current_user', key);
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.locator('#call-list code', { hasText: 'get_current_user' }).waitFor();
  await picture(page, 'light');
  is_clean(seen, urls.one);
  await context.close();
});

test('a wrong key shows the error of the server', async () => {
  const { context, page, seen } = await open(browser, root(urls.one));
  await paste(page, 'API-not a key');
  assert.match(await page.getByRole('alert').textContent(), /not an Octopus API key; API keys look like API-X+, with API or another prefix \(HTTP 401\)/);
  assert.ok(await page.locator('#answer').isHidden());
  await picture(page, 'light-wrong-key');
  await paste(page, 'API-NOBODYSNOBODYSNOBODYSNOBODYS');
  assert.match(await page.getByRole('alert').textContent(), /^Octopus rejected the credential: The API key/);
  assert.ok(await page.locator('#answer').isHidden());
  const unexpected = seen.problems.filter((one) => !one.includes('401'));
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
  assert.ok(!(await page.locator('#call-list').textContent()).includes('list_spaces'), 'calls of another caller');
  is_clean(seen, urls.one);
  await context.close();
});

test('without a default instance the visitor names one', async () => {
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

test('without explain_access the tools are shown', async () => {
  const { context, page, seen } = await open(browser, root(urls.core));
  await paste(page, 'API-NOBODYSNOBODYSNOBODYSNOBODYS');
  assert.match(await page.getByRole('alert').textContent(), /rejected the credential/);
  await paste(page, KEY);
  await page.locator('#toolset-list', { hasText: 'core' }).waitFor();
  await page.locator('#status', { hasText: 'Your access:' }).waitFor();
  is_clean(seen, urls.core);
  await context.close();
});
