// Signing in at an authorization server: whose answer is taken, and where the token goes.

import assert from 'node:assert/strict';
import { open, picture } from './browser.mjs';
import { OTHER_KEY, authority, browser, root, start, test, urls } from './setup.mjs';

start('oauth');

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
