// What every TypeScript client proves about the server. The facts are in expectations.json, which
// the Python clients read too; a client file only says how its SDK connects, lists and calls.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const expected = JSON.parse(readFileSync(new URL('expectations.json', import.meta.url)));

// Whether `actual` holds all that `wanted` says: the named keys of an object, each wanted element
// somewhere in an array, `$contains` in a string, and scalars as they are.
function mismatch(actual, wanted, at = '$') {
  if (wanted === null || typeof wanted !== 'object') {
    return Object.is(actual, wanted) ? null : `${at}: ${show(actual)} is not ${show(wanted)}`;
  }
  if (Array.isArray(wanted)) {
    if (!Array.isArray(actual)) return `${at}: ${show(actual)} is not a list`;
    const missing = wanted.find((one) => actual.every((element) => mismatch(element, one)));
    return missing === undefined ? null : `${at}: nothing like ${show(missing)} in ${show(actual)}`;
  }
  if ('$contains' in wanted) {
    const found = typeof actual === 'string' && actual.includes(wanted.$contains);
    return found ? null : `${at}: ${show(actual)} does not contain ${show(wanted.$contains)}`;
  }
  if (actual === null || typeof actual !== 'object')
    return `${at}: ${show(actual)} is not an object`;
  for (const [key, value] of Object.entries(wanted)) {
    const problem = mismatch(actual[key], value, `${at}.${key}`);
    if (problem) return problem;
  }
  return null;
}

function show(value) {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 400 ? `${text.slice(0, 400)}...` : text;
}

async function theTools(client) {
  const listed = await client.list();
  const names = listed.map((tool) => tool.name);
  for (const tool of expected.tools) assert.ok(names.includes(tool), `${tool} is not listed`);
  for (const tool of listed) assert.ok(tool.outputSchema, `${tool.name} publishes no outputSchema`);
}

async function everyToolAnswersRight(client) {
  assert.deepEqual(
    [...new Set(expected.calls.map((call) => call.tool))].sort(),
    [...expected.tools].sort(),
  );
  for (const { tool, arguments: args, expect } of expected.calls) {
    const result = await client.call(tool, args);
    const text = result.content.map((block) => block.text).join('');
    assert.ok(!result.isError, `${tool} ${show(args)}: ${text}`);
    assert.equal(mismatch(result.structuredContent, expect), null, `${tool} ${show(args)}`);
    assert.deepEqual(
      JSON.parse(text),
      result.structuredContent,
      `${tool}: the text is another answer`,
    );
  }
}

async function aFailingCallIsAnAnswer(client) {
  for (const { tool, arguments: args, says } of expected.failures) {
    const result = await client.call(tool, args);
    assert.equal(result.isError, true, `${tool} ${show(args)} should fail`);
    assert.equal(
      mismatch(result.content[0].text, { $contains: says }),
      null,
      `${tool} ${show(args)}`,
    );
  }
  const { tool, arguments: args } = expected.calls[0];
  assert.ok(
    !(await client.call(tool, args)).isError,
    'the connection does not outlive a failing call',
  );
}

async function aLongCallTellsItsProgress(client) {
  const { tool, arguments: args } = expected.longCall;
  const told = [];
  const result = await client.call(tool, args, (progress) => told.push(progress.progress));
  assert.ok(!result.isError, result.content[0].text);
  assert.ok(told.length > 0, 'no progress came');
  assert.deepEqual(
    told,
    [...new Set(told)].sort((a, b) => a - b),
    'progress does not grow',
  );
}

async function resourcesAreListedAndRead(client) {
  const { uri, template, holds } = expected.resource;
  const listed = await client.resources();
  assert.ok(listed.some((resource) => resource.uri === uri), `listed: ${show(listed)}`);
  const templates = await client.templates();
  assert.ok(templates.some((one) => one.uriTemplate === template), `listed: ${show(templates)}`);
  const [contents] = await client.read(uri);
  assert.equal(mismatch(JSON.parse(contents.text), holds), null);
}

async function promptsAreFilledInAndCompleted(client) {
  const { name, arguments: args, says, completion } = expected.prompt;
  const listed = await client.prompts();
  assert.ok(listed.some((prompt) => prompt.name === name), `listed: ${show(listed)}`);
  const [message] = await client.prompt(name, args);
  assert.equal(mismatch(message.content.text, { $contains: says }), null);
  const values = await client.complete({
    ref: { type: 'ref/prompt', name },
    argument: completion.argument,
    context: { arguments: completion.context },
  });
  assert.deepEqual(values, [completion.value]);
}

async function anUnknownToolIsAProtocolError(client) {
  const { name, code } = expected.unknownTool;
  await assert.rejects(client.call(name, {}), (error) => {
    assert.equal(error.code, code, `${error}`);
    return true;
  });
}

// Two users at once on one server, and never the other's space.
async function eachUserSeesTheirOwn(connect, url) {
  const users = await Promise.all(
    expected.users.map(async (user) => ({ ...user, client: await connect(url, user.headers) })),
  );
  for (let round = 0; round < 10; round += 1) {
    const answers = await Promise.all(users.map(({ client }) => client.call('list_spaces', {})));
    answers.forEach((answer, index) => {
      const spaces = answer.structuredContent.items.map((space) => space.id);
      assert.deepEqual(spaces, users[index].spaces, `round ${round}, user ${index}`);
    });
  }
  for (const { client, refused } of users) {
    const answer = await client.call('list_projects', { space: refused });
    assert.equal(answer.isError, true, `${refused} is open to somebody else`);
    await client.close();
  }
}

async function withoutCredentialsNothing(connect, url) {
  const { status, says } = expected.missingCredentials;
  await assert.rejects(connect(url, {}), 'a client without credentials connected');
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 'no-key', method: 'ping' }),
  });
  const body = await response.json();
  assert.equal(response.status, status);
  assert.equal(body.id, 'no-key');
  assert.equal(mismatch(body.error.message, { $contains: says }), null);
  assert.equal(mismatch(response.headers.get('www-authenticate'), { $contains: says }), null);
}

/**
 * Runs every check. `connect(url, headers)` gives `{ version, list, call, resources, templates,
 * read, prompts, prompt, complete, close }`; the two URLs
 * come from the command line: a server with the sample instance behind it that asks for no
 * credentials, and one that takes each caller's own.
 */
export async function check(name, version, connect) {
  const [open, keyed] = process.argv.slice(2);
  const client = await connect(open, {});
  const checks = [
    [`speaks ${version}`, () => assert.equal(client.version, version)],
    ['lists the tools', () => theTools(client)],
    ['gets right answers from each', () => everyToolAnswersRight(client)],
    ['reads why a call failed, and goes on', () => aFailingCallIsAnAnswer(client)],
    ['lists and reads resources', () => resourcesAreListedAndRead(client)],
    ['fills in and completes prompts', () => promptsAreFilledInAndCompleted(client)],
    ['hears how far a long call is', () => aLongCallTellsItsProgress(client)],
    ['is told of an unknown tool', () => anUnknownToolIsAProtocolError(client)],
    ['shows two users their own data only', () => eachUserSeesTheirOwn(connect, keyed)],
    ['is refused without credentials', () => withoutCredentialsNothing(connect, keyed)],
  ];
  let failed = 0;
  for (const [what, run] of checks) {
    try {
      await run();
      console.log(`  ok    ${name} ${what}`);
    } catch (error) {
      failed += 1;
      console.log(`  FAIL  ${name} ${what}\n${error.stack}`);
    }
  }
  await client.close();
  process.exitCode ||= failed ? 1 : 0;
}
