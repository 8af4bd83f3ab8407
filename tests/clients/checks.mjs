// Checks of the server for every TypeScript client. expectations.json has the expected results, also for the
// Python clients. A client file only implements connecting, listing and calling with its SDK.

import assert from 'node:assert/strict';

import { aCodeIsGoodOnce, aPersonDecides } from './changes.mjs';
import { expected, mismatch, show } from './facts.mjs';

async function theTools(client) {
  const listed = await client.list();
  const names = listed.map((tool) => tool.name);
  assert.deepEqual(names.sort(), [...expected.tools].sort());
  for (const tool of listed) assert.ok(tool.outputSchema, `${tool.name} publishes no outputSchema`);
}

// Returns the URL of the instance, the prefix of the URLs of its pages.
async function instanceOf(client) {
  const { structuredContent } = await client.call('list_spaces', { take: 1 });
  return structuredContent.items[0].url.split('/app#')[0];
}

async function everyToolAnswersRight(client) {
  const instance = await instanceOf(client);
  assert.deepEqual(
    [...new Set(expected.calls.map((call) => call.tool))].sort(),
    [...expected.tools].sort(),
  );
  for (const { tool, arguments: named, expect } of expected.calls) {
    const args = JSON.parse(JSON.stringify(named).replaceAll('{instance}', instance));
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
    'the connection ended after a failed call',
  );
}

async function aLongCallTellsItsProgress(client) {
  const { tool, arguments: args } = expected.longCall;
  const told = [];
  const result = await client.call(tool, args, (progress) => told.push(progress.progress));
  assert.ok(!result.isError, result.content[0].text);
  assert.ok(told.length > 0, 'no progress was sent');
  assert.deepEqual(
    told,
    [...new Set(told)].sort((a, b) => a - b),
    'progress does not increase',
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

// Two concurrent users of one server see only their own space.
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
    assert.equal(answer.isError, true, `${refused} is readable by another user`);
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
 * Runs every check. `connect(url, headers, person)` returns `{ version, list, call, resources,
 * templates, read, prompts, prompt, complete, close }`. With a `person`, the client supports
 * elicitation, and `person(message)` returns the result. The command line has three URLs, of servers
 * with the sample instance: one without credentials, one with the caller's own credentials, and one
 * that allows changes and has sessions.
 */
export async function check(name, version, connect) {
  const [open, keyed, changing] = process.argv.slice(2);
  const client = await connect(open, {});
  const checks = [
    [`speaks ${version}`, () => assert.equal(client.version, version)],
    ['lists the tools', () => theTools(client)],
    ['gets correct results from each tool', () => everyToolAnswersRight(client)],
    ['gets the reason of a failed call, and stays connected', () => aFailingCallIsAnAnswer(client)],
    ['lists and reads resources', () => resourcesAreListedAndRead(client)],
    ['gets and completes prompts', () => promptsAreFilledInAndCompleted(client)],
    ['gets progress of a long call', () => aLongCallTellsItsProgress(client)],
    ['gets a protocol error for an unknown tool', () => anUnknownToolIsAProtocolError(client)],
    ['isolates two users', () => eachUserSeesTheirOwn(connect, keyed)],
    ['is rejected without credentials', () => withoutCredentialsNothing(connect, keyed)],
    ['requests approval before a change', () => aPersonDecides(connect, changing)],
    ['requires a code without elicitation', () => aCodeIsGoodOnce(connect, changing)],
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
