// Sign-in with an authorization server: which redirects are accepted, and where the token is sent.

import assert from 'node:assert/strict';
import { open, picture } from './browser.mjs';
import { OTHER_KEY, authority, browser, root, start, test, urls } from './setup.mjs';

start('oauth', 'oauth_own_key');

test('the token is used for this endpoint and stored nowhere', async () => {
  const { context, page, seen } = await open(browser, root(urls.oauth));
  const began = authority.asked.length;
  await page.getByRole('button', { name: /^Sign in with 127/ }).click();
  await page.locator('#answer:visible').waitFor();
  assert.match(await page.locator('#who').textContent(), /grace@example\.com/);
  const [asked] = authority.asked.slice(began);
  assert.equal(asked.resource, undefined, 'the tokens have another audience');
  assert.equal(asked.code_challenge_method, 'S256');
  assert.equal(asked.client_id, 'the-page');
  assert.equal(asked.redirect_uri, root(urls.oauth));
  assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0);
  await picture(page, 'light-signed-in');
  const allowed = [root(urls.oauth), authority.issuer, 'data:', 'about:'];
  assert.deepEqual(seen.requests.filter((one) => !allowed.some((begin) => one.startsWith(begin))), []);
  assert.deepEqual(seen.problems, []);
  await context.close();
});

test('redirects of another sign-in or another issuer are rejected', async () => {
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
  await page.getByRole('alert').filter({ hasText: 'This page cannot read the metadata of' }).waitFor();
  authority.says = { token_endpoint: 'https://tokens.example/token' };
  await page.getByRole('button', { name: /^Sign in with 127/ }).click();
  await page.getByRole('alert').filter({ hasText: 'The token endpoint is at https://tokens.example, and this page may not send requests there' }).waitFor();
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
  assert.equal(authority.tokens, tokens + 1, 'no token request for a redirect of another sign-in');
  await context.close();
});

test('without HTTPS, sign-in shows an error and opens no window', async () => {
  const { context, page } = await open(browser, root(urls.oauth).replace('127.0.0.1', 'mcp.test'));
  await page.getByRole('button', { name: /^Sign in with 127/ }).click();
  await page.getByRole('alert').filter({ hasText: 'Sign-in needs HTTPS' }).waitFor();
  assert.equal(context.pages().length, 1);
  await context.close();
});

test('a signed-in visitor can add an Octopus API key, and Forget removes both', async () => {
  const { context, page } = await open(browser, root(urls.oauth_own_key));
  await page.getByRole('button', { name: /^Sign in with 127/ }).click();
  await page.getByRole('alert').filter({ hasText: 'Octopus' }).waitFor();
  const sent = page.waitForRequest((request) => request.method() === 'POST' && request.url() === urls.oauth_own_key);
  await page.locator('#key').fill(OTHER_KEY);
  await page.getByRole('button', { name: 'Show my access' }).click();
  const headers = await (await sent).allHeaders();
  assert.match(headers.authorization, /^Bearer /);
  assert.equal(headers['x-octopus-apikey'], OTHER_KEY);
  await page.locator('#answer:visible').waitFor();
  await page.locator('#forget').click();
  assert.ok(await page.locator('#token, #key').first().evaluate((one) => one === document.activeElement));
  assert.equal(await page.locator('#key').inputValue(), '');
  await page.locator('#key').fill(OTHER_KEY);
  await page.getByRole('button', { name: 'Show my access' }).click();
  await page.getByRole('alert').filter({ hasText: '401' }).waitFor();
  await context.close();
});
