// Client configurations: for the chosen instance, and copied as they are shown.

import assert from 'node:assert/strict';
import { open, paste, picture } from './browser.mjs';
import { KEY } from './servers.mjs';
import { browser, is_clean, root, start, test, urls } from './setup.mjs';

start('several', 'open');

test('the visitor chooses an instance for the page and for clients', async () => {
  const { context, page, seen } = await open(browser, root(urls.several));
  await paste(page, KEY);
  assert.equal(await page.locator('#instance-list > li').count(), 2);
  assert.match(await page.locator('#instance-list').textContent(), /asia.*read-only/s);
  await page.getByRole('button', { name: 'Show asia' }).click();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'access', 'the button is replaced, so the focus moves to the section');
  await page.locator('#tools-of', { hasText: 'at asia, all read-only' }).waitFor();
  await page.getByRole('combobox', { name: 'Instance', exact: true }).selectOption('asia');
  await page.getByLabel('Read-only', { exact: true }).check();
  assert.match(await page.locator('#block-0').textContent(), /\/mcp\/i\/asia\/readonly/);
  await picture(page, 'light-several');
  is_clean(seen, urls.several);
  await context.close();
});

test('the copied text is the shown text, for each client and credential', async () => {
  const { context, page, seen } = await open(browser, root(urls.open));
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  const copyEndpoint = page.locator('button[data-copies=endpoint]');
  assert.equal(await copyEndpoint.textContent(), 'Copy the address of the endpoint');
  await copyEndpoint.click();
  await copyEndpoint.filter({ hasText: /^Copied/ }).waitFor();
  assert.equal(await page.locator('button', { hasText: /^Copied/ }).count(), 1, 'only the pressed button');
  assert.equal(await page.locator('#announcement').textContent(), 'Copied');
  assert.equal(await copied(), urls.open);
  const clients = await page.locator('#client-names label').allTextContents();
  assert.equal(clients.length, 11);
  for (const client of clients) {
    await page.getByLabel(client, { exact: true }).check();
    for (const form of ['None', 'Octopus API key']) {
      await page.locator('#form-names').getByLabel(form, { exact: true }).check();
      const text = await page.locator('#configuration').textContent();
      if (text.startsWith('This client requires a credential')) {
        assert.deepEqual([client, form], ['AWS DevOps Agent', 'None']);
        continue;
      }
      assert.ok(text.includes(urls.open), `${client}: ${text}`);
      assert.ok(!text.includes('{{'), `${client}: ${text}`);
      assert.equal(text.includes('X-Octopus-ApiKey'), form !== 'None', `${client}: ${text}`);
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
