// Facts about the server that the page shows without a credential, and the questions for the sample.

import assert from 'node:assert/strict';
import { open, picture, violationsOf } from './browser.mjs';
import { browser, is_clean, root, start, test, urls } from './setup.mjs';

start('sample', 'one', 'several', 'open', 'oauth', 'oauth_own_key');

const badges = (page) => page.locator('#badges li').allTextContents();

test('the page shows the client configuration first', async () => {
  const { context, page, seen } = await open(browser, root(urls.one));
  const titles = await page.locator('main h2:visible').allTextContents();
  assert.deepEqual(titles, ['Connect a client', 'Your access']);
  is_clean(seen, urls.one);
  await context.close();
});

test('the sample shows its questions, which can be copied', async () => {
  const { context, page, seen } = await open(browser, root(urls.sample));
  const shown = await badges(page);
  assert.deepEqual([shown[0], shown[1], shown[3], shown[4]], ['Sample data', 'Read-only', 'Sign-in: none', 'Octopus API key (optional)']);
  assert.match(await page.locator('#sample').textContent(), /embedded sample instance, not a real Octopus/);
  assert.equal(await page.locator('#question-list li').count(), 3);
  assert.ok(await page.getByLabel('Read-only').isHidden(), 'the server has no tools that make changes');
  await page.locator('#question-list button').nth(1).click();
  const question = await page.locator('#question-1').textContent();
  await page.waitForFunction(async (wanted) => await navigator.clipboard.readText() === wanted, question);
  assert.match(await page.locator('#question-list button').nth(1).textContent(), /^Copied/);
  assert.deepEqual(await violationsOf(page), []);
  await picture(page, 'light-sample');
  await page.getByRole('button', { name: 'Show my access' }).click();
  await page.locator('#answer:visible').waitFor();
  const [count] = (await page.locator('#tools-of').textContent()).split(',');
  assert.equal(count, shown[2], 'the number of tools is the number in the list of tools');
  assert.ok(await page.locator('#instances').isHidden());
  assert.ok(!(await page.locator('#who').textContent()).includes('Instance'));
  is_clean(seen, urls.sample);
  await context.close();
});

test('badges and fields depend on the settings', async () => {
  for (const [name, expected, fields] of [
    ['one', ['Read and write', 'Sign-in: Octopus API key'], ['Octopus API key or access token']],
    ['several', ['Read and write', 'Sign-in: Octopus API key'], ['Octopus API key or access token', 'Instance (optional)']],
    ['open', ['Read-only', 'Sign-in: none', 'Octopus API key (optional)'], ['Octopus API key (optional)']],
    ['oauth', ['Read-only', 'Sign-in: OAuth'], ['Access token']],
    ['oauth_own_key', ['Read-only', 'Sign-in: OAuth', 'Octopus API key (required)'], ['Access token', 'Octopus API key']],
  ]) {
    const { context, page } = await open(browser, root(urls[name]));
    const shown = (await badges(page)).filter((badge) => !/^(\d+ tools|Version .*)$/.test(badge));
    assert.deepEqual(shown, expected, name);
    assert.deepEqual(await page.locator('#fields label:visible').allTextContents(), fields, name);
    assert.ok(await page.locator('#sample').isHidden(), name);
    await context.close();
  }
});
