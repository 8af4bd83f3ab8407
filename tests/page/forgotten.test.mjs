// The browser stores nothing, and responses that arrive after "Forget" are ignored.

import assert from 'node:assert/strict';
import { open, paste } from './browser.mjs';
import { KEY } from './servers.mjs';
import { browser, is_clean, root, start, test, urls } from './setup.mjs';

start('one');

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

test('a response that arrives after Forget is ignored', async () => {
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
  // A later request of the visitor works, and shows nothing of the earlier one.
  await page.locator('#key').fill('API-\u200bSAMPLE');
  await page.getByRole('button', { name: 'Show my access' }).click();
  await page.getByRole('alert').filter({ hasText: 'characters that keys and tokens do not have' }).waitFor();
  assert.ok(await page.locator('#answer').isHidden());
  assert.equal(await page.locator('#who').textContent(), '');
  await context.close();
});
