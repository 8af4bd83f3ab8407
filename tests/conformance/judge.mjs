// Evaluates one run of the conformance suite: node judge.mjs TARGET REVISION RESULTS
//
// The suite's own baseline covers scored scenarios only and has no reasons. This script evaluates every
// scenario of the requirement set. Each failing check, also with a warning, requires an entry with a reason
// in expected/TARGET.json. An entry whose check passes is a failure too.
//
// An entry names a scenario (`ping`) or one of its checks (`server-stateless:sep-2575-...`).

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { parse } = createRequire(import.meta.url)('yaml');

const [target, revision, results] = process.argv.slice(2);
const here = (path) => new URL(path, import.meta.url);

const requirements = parse(
  readFileSync(
    here(`node_modules/@modelcontextprotocol/conformance/requirements/${revision}.yaml`),
    'utf8',
  ),
);
const scenarios = [
  ...requirements.server,
  ...requirements.not_scored
    .filter((entry) => entry.leg === 'server')
    .map((entry) => entry.scenario),
];

const reasons = new Map();
for (const { reason, checks } of JSON.parse(readFileSync(here(`expected/${target}.json`)))[
  revision
]) {
  if (!reason?.trim()) throw new Error(`expected/${target}.json: no reason for ${checks}`);
  for (const check of checks) {
    if (reasons.has(check)) throw new Error(`expected/${target}.json: ${check} is listed twice`);
    reasons.set(check, reason);
  }
}

const worst = ['INFO', 'SKIPPED', 'SUCCESS', 'WARNING', 'FAILURE'];

// Returns the checks of a scenario by ID. If an ID occurs several times, the worst status counts.
function verdicts(scenario) {
  const stamped = new RegExp(`^server-${scenario}-\\d{4}-\\d\\d-\\d\\dT`);
  const folder = readdirSync(results).find((name) => stamped.test(name));
  if (!folder)
    return new Map([['did-not-run', { status: 'FAILURE', errorMessage: 'no result was written' }]]);
  const checks = new Map();
  for (const check of JSON.parse(readFileSync(`${results}/${folder}/checks.json`))) {
    const before = checks.get(check.id);
    if (!before || worst.indexOf(before.status) < worst.indexOf(check.status))
      checks.set(check.id, check);
  }
  return checks;
}

const seen = new Set();
const unexpected = [];
const nothingChecked = [];
const passed = { scenarios: 0, checks: 0 };
for (const scenario of scenarios) {
  const checks = [...verdicts(scenario)];
  const good = checks.filter(([, check]) => check.status === 'SUCCESS');
  const bad = checks.filter(([, check]) => ['FAILURE', 'WARNING'].includes(check.status));
  passed.checks += good.length;
  if (bad.length === 0 && good.length > 0) passed.scenarios += 1;
  if (bad.length === 0 && good.length === 0) nothingChecked.push(scenario);
  for (const [id, check] of bad) {
    const entry = [scenario, `${scenario}:${id}`].find((name) => reasons.has(name));
    if (entry) seen.add(entry);
    else unexpected.push(`${scenario}:${id} (${check.status}) ${check.errorMessage ?? ''}`);
  }
}
const stale = [...reasons.keys()].filter((entry) => !seen.has(entry));

console.log(
  `  ${target}, ${revision}: ${passed.scenarios} of ${scenarios.length} scenarios pass, ` +
    `${passed.checks} checks; ${seen.size} expected failures`,
);
if (nothingChecked.length) console.log(`  scenarios without checks: ${nothingChecked.join(', ')}`);
for (const line of unexpected) console.log(`  UNEXPECTED  ${line}`);
for (const entry of stale)
  console.log(`  STALE  ${entry} passes: remove it from expected/${target}.json`);
process.exitCode = unexpected.length || stale.length ? 1 : 0;
