// Checks of changes for every TypeScript client: a change requires approval, the request shows its effect,
// and an approved change is executed once.

import assert from 'node:assert/strict';

import { expected, mismatch, show } from './facts.mjs';

const { tool, arguments: args, question, refused, unasked, done, count } = expected.change;

// Returns the number of executed changes, from Octopus.
async function times(client) {
  const { structuredContent } = await client.call(count.tool, count.arguments);
  return structuredContent.totalResults;
}

function names(asked) {
  for (const words of question) assert.equal(mismatch(asked, { $contains: words }), null);
}

function cameToThis(result, expect) {
  assert.equal(result.isError ?? false, !expect.success, show(result.structuredContent));
  assert.equal(mismatch(result.structuredContent, expect), null);
}

/** A client with elicitation: one approval request per call, no change after a decline, one change after an approval. */
export async function aPersonDecides(connect, url) {
  const asked = [];
  let action;
  const client = await connect(url, {}, (message) => {
    asked.push(message);
    return action === 'accept' ? { action, content: {} } : { action };
  });
  const before = await times(client);
  for (const { answer, expect } of [...refused, { answer: 'accept', expect: done }]) {
    action = answer;
    asked.length = 0;
    cameToThis(await client.call(tool, args), expect);
    assert.equal(asked.length, 1, `asked ${asked.length} times`);
    names(asked[0]);
    assert.equal(await times(client), before + (expect.success ? 1 : 0), answer);
  }
  await client.close();
}

/** A client without elicitation: no change without the code, one change with it, and none when it is repeated. */
export async function aCodeIsGoodOnce(connect, url) {
  const client = await connect(url, {});
  const before = await times(client);
  const first = await client.call(tool, args);
  cameToThis(first, unasked);
  const { preview, confirm } = first.structuredContent;
  names(preview);
  assert.equal(await times(client), before);

  const second = await client.call(tool, { ...args, confirm });
  cameToThis(second, done);
  assert.equal(second.structuredContent.repeated, undefined);
  assert.equal(await times(client), before + 1);

  const third = await client.call(tool, { ...args, confirm });
  cameToThis(third, done);
  assert.deepEqual(third.structuredContent, { ...second.structuredContent, repeated: true });
  assert.equal(await times(client), before + 1);
  await client.close();
}
