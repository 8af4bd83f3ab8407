// The expected results, and their comparison with actual results.

import { readFileSync } from 'node:fs';

export const expected = JSON.parse(readFileSync(new URL('expectations.json', import.meta.url)));

// Returns why `actual` does not match `wanted`, or null. Objects must have the wanted keys, arrays must contain
// each wanted element, strings must contain `$contains`, and other values must be equal.
export function mismatch(actual, wanted, at = '$') {
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

export function show(value) {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 400 ? `${text.slice(0, 400)}...` : text;
}
