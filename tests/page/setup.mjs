// The fixture of a test file: a browser, the servers that it names, and an authorization server.

import assert from 'node:assert/strict';
import { after, before, test as plain } from 'node:test';
import { launch } from './browser.mjs';
import { issuer } from './issuer.mjs';
import { KEY, octopus, serve, stop } from './servers.mjs';

export const key = { 'x-octopus-apikey': KEY };
export const OTHER_KEY = 'API-SAMPLE0000000000000000000FREIGHT';
export const test = (name, run) => plain(name, { timeout: 60_000 }, run);
export let browser;
export let authority;
export const urls = {};

const instance = `url = "${octopus}"`;
// The settings of each server, and the lines for `[http]`.
export const settings = {
  one: () => [`[octopus]\n${instance}\n[auth]\nmode = "octopus"\n[tools]\nread_only = false\n[limits]\nunproven_rate = 0`],
  several: () => [`[auth]\nmode = "octopus"\n[instances.europe]\n${instance}\ndefault = true\n[instances.asia]\n${instance}\nread_only = true\n[tools]\nread_only = false`],
  apart: () => [`[auth]\nmode = "octopus"\n[instances.europe]\n${instance}\n[instances.asia]\n${instance}`],
  core: () => [`[octopus]\n${instance}\n[auth]\nmode = "octopus"\n[tools]\ntoolsets = ["core"]`],
  open: () => [`[octopus]\n${instance}\napi_key = "${KEY}"`],
  sample: () => ['[sample]\nenabled = true'],
  oauth: () => [`[octopus]\n${instance}\napi_key = "${KEY}"\n[auth]\nmode = "oauth"\n[[auth.oauth.issuers]]\nissuer = "${authority.issuer}"\npage_client_id = "the-page"\naudiences = "api://octopus-mcp"`, 'allowed_hosts = "mcp.test"'],
  oauth_own_key: () => [`[octopus]\n${instance}\ncredential = "caller"\n[auth]\nmode = "oauth"\n[[auth.oauth.issuers]]\nissuer = "${authority.issuer}"\npage_client_id = "the-page"\naudiences = "api://octopus-mcp"`, 'allowed_hosts = "mcp.test"'],
};

/** Starts the browser and the servers with these names before the tests of a file, and stops them afterwards. */
export function start(...names) {
  before(async () => {
    browser = await launch();
    authority = await issuer();
    for (const name of names) urls[name] = await serve(name, ...settings[name]());
  });

  after(async () => {
    await browser?.close();
    authority?.close();
    await stop();
  });
}

export const root = (url) => url.replace(/mcp$/, '');

// Asserts that the page had no problems, and sent no request to another host.
export function is_clean(seen, url) {
  assert.deepEqual(seen.problems, []);
  const foreign = seen.requests.filter((one) => !one.startsWith(root(url)) && !one.startsWith('data:'));
  assert.deepEqual(foreign, []);
}
