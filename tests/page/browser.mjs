// Starts Chromium and opens pages. Records the problems and the requests of each page.

import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pictures = process.env.SCREENSHOTS;
mkdirSync(pictures, { recursive: true });

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // A host name other than loopback, because browsers treat loopback as a secure context.
    args: ['--headless', '--host-resolver-rules=MAP mcp.test 127.0.0.1', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

/** Opens a page in its own context. `seen` collects its problems and requests. */
export async function open(browser, url, { width = 1100, dark = false } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: dark ? 'dark' : 'light',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  const seen = { problems: [], requests: [] };
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) seen.problems.push(message.text());
  });
  page.on('pageerror', (error) => seen.problems.push(String(error)));
  context.on('request', (request) => seen.requests.push(request.url()));
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(url);
  return { context, page, seen };
}

/** Pastes a key, and waits for the access or an error. */
export async function paste(page, key) {
  await page.locator('#key').fill(key);
  await page.getByRole('button', { name: 'Show my access' }).click();
  await page.locator('#answer:visible, #problem:not(:empty)').first().waitFor();
  await page.locator('#status').filter({ hasNotText: 'Loading' }).waitFor({ state: 'attached' });
}

/** Returns the accessibility violations that axe finds in the current page. */
export async function violationsOf(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join('; ')}`);
}

/** Saves a screenshot of the whole page. */
export function picture(page, name) {
  return page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}
