// Accessibility: keyboard only, axe, narrow windows, and both color schemes.

import assert from 'node:assert/strict';
import { open, paste, picture, violationsOf } from './browser.mjs';
import { KEY } from './servers.mjs';
import { browser, is_clean, root, start, test, urls } from './setup.mjs';

start('one', 'several');

test('the keyboard reaches everything, and the focus is visible', async () => {
  const { context, page, seen } = await open(browser, root(urls.one));
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.name || document.activeElement.textContent);
  const until = async (wanted, key = 'Tab') => {
    for (let presses = 0; presses < 60; presses += 1) {
      await page.keyboard.press(key);
      const outline = await page.evaluate(() => {
        const one = document.activeElement;
        const shown = one.matches('.choice input') ? one.parentElement : one;
        return one === document.body ? 'solid' : getComputedStyle(shown).outlineStyle;
      });
      assert.equal(outline, 'solid', await focused());
      if (wanted.test(await focused())) return;
    }
    assert.fail(`the focus does not reach ${wanted}`);
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
  await until(/^client$/, 'Shift+Tab');
  await page.keyboard.press('ArrowRight');
  assert.match(await page.locator('#configuration').textContent(), /Claude connectors/);
  is_clean(seen, urls.one);
  await context.close();
});

for (const dark of [false, true]) {
  const scheme = dark ? 'dark' : 'light';
  test(`axe finds no violations: ${scheme}`, async () => {
    const { context, page, seen } = await open(browser, root(urls.several), { dark });
    assert.deepEqual(await violationsOf(page), []);
    await paste(page, 'API-short');
    assert.deepEqual(await violationsOf(page), []);
    await paste(page, KEY);
    for (const summary of await page.locator('summary').all()) await summary.click();
    assert.deepEqual(await violationsOf(page), []);
    await picture(page, `${scheme}-everything`);
    const unexpected = seen.problems.filter((one) => !one.includes('401'));
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

test('live regions exist before they have text', async () => {
  const { context, page } = await open(browser, root(urls.one));
  for (const place of ['status', 'problem', 'announcement']) {
    assert.notEqual(await page.locator(`#${place}`).evaluate((one) => getComputedStyle(one).display), 'none', place);
  }
  await context.close();
});
