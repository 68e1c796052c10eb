import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { checkCompose } from '../../ops/check-compose.ts';

const compose = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8');

test('compose check: in this checkout, each setting reaches the processes that read it', () => {
  expect(checkCompose(compose)).toEqual([]);
});

test('compose check: a setting of a process that does not reach it is a problem', () => {
  for (const [service, name] of [
    ['maintenance', 'SLUICE_REQUEST_RETENTION_DAYS'],
    ['console', 'SLUICE_CONSOLE_REALM_TOKENS'],
    ['worker', 'SLUICE_METRICS_TOKEN'],
    ['migrate', 'SLUICE_MIGRATE_DATABASE_URL'],
    ['health-events', 'REDIS_URL'],
  ] as const) {
    const document = parseDocument(compose, { merge: true });
    document.deleteIn(['services', service, 'environment', name]);
    expect(checkCompose(String(document))).toEqual([`${service}: must pass on ${name}, which its process reads`]);
  }
});

test('compose check: a form that could hide a setting is refused', () => {
  for (const [key, value] of [
    ['environment', ['REDIS_URL=redis://redis']],
    ['command', 'worker execution-log'],
  ] as const) {
    const document = parseDocument(compose, { merge: true });
    document.setIn(['services', 'worker', key], document.createNode(value));
    expect(() => checkCompose(String(document))).toThrow();
  }
  expect(() => checkCompose('')).toThrow();
});
