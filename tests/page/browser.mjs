// Debian's Chromium, and a page that is watched: whatever it complains of or asks for is kept.

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
    // A name that is not loopback, so that what browsers allow there alone is not there.
    args: ['--headless', '--host-resolver-rules=MAP mcp.test 127.0.0.1', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

/** A page in a context of its own, and what it complained of. */
export async function open(browser, url, { width = 1100, dark = false } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: dark ? 'dark' : 'light',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  const seen = { complaints: [], requests: [] };
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) seen.complaints.push(message.text());
  });
  page.on('pageerror', (error) => seen.complaints.push(String(error)));
  context.on('request', (request) => seen.requests.push(request.url()));
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(url);
  return { context, page, seen };
}

/** Pastes a key and waits for what comes of it. */
export async function paste(page, key) {
  await page.locator('#key').fill(key);
  await page.getByRole('button', { name: 'Show my access' }).click();
  await page.locator('#answer:visible, #problem:not(:empty)').first().waitFor();
  await page.locator('#status').filter({ hasNotText: 'Asking' }).waitFor({ state: 'attached' });
}

/** What axe finds wrong with what the page shows now. */
export async function wrong(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join('; ')}`);
}

export function picture(page, name) {
  return page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}
