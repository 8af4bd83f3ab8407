// The page behind a proxy with a path prefix: endpoint and redirect URI contain the prefix.

import assert from 'node:assert/strict';
import { open } from './browser.mjs';
import { proxy } from './proxy.mjs';
import { serve } from './servers.mjs';
import { authority, browser, settings, start, test } from './setup.mjs';

start();

test('sign-in works behind a path prefix', async () => {
  const before = await proxy('/tools/octopus');
  const [oauth] = settings.oauth();
  before.target = new URL(await serve('below', oauth, `public_url = "${before.url}"`)).origin;
  const { context, page, seen } = await open(browser, `${before.url}/`);
  assert.equal(await page.locator('#endpoint').textContent(), `${before.url}/mcp`);
  await page.getByRole('button', { name: /^Sign in with 127/ }).click();
  await page.locator('#answer:visible').waitFor();
  assert.match(await page.locator('#who').textContent(), /grace@example\.com/);
  assert.equal(authority.asked.at(-1).redirect_uri, `${before.url}/`);
  assert.deepEqual(seen.problems, []);
  assert.deepEqual(before.elsewhere, []);
  await context.close();
  before.close();
});
