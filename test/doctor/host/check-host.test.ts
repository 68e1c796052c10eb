import { expect, test } from 'vitest';
import { readArchiveFacts } from '../../../doctor/host/archive-facts.ts';
import { checkHost, checkMissingUrl } from '../../../doctor/host/check-host.ts';
import type { HostFacts } from '../../../doctor/host/host-facts.ts';
import { isBelow, versionNumbers } from '../../../doctor/version.ts';
import { findingOf } from '../../support/finding-of.ts';

const host: HostFacts = {
  nodeVersion: 'v24.21.0',
  nodeWanted: '>=22.18',
  bullmqVersion: '6.7.0',
  hasEnvFile: false,
  unknownVariables: [],
  passedOverVariables: [],
  variableProblems: [],
  archive: null,
};

const cases: [check: string, level: string, says: string, facts: Partial<HostFacts>, recordingEnabled: boolean][] = [
  ['node', 'ok', 'v24.21.0', {}, true],
  ['node', 'ok', 'v22.18.0', { nodeVersion: 'v22.18.0' }, true],
  ['node', 'failure', '>=22.18', { nodeVersion: 'v22.17.1' }, true],
  ['variables', 'ok', 'all are known', {}, true],
  ['variables', 'ok', '.env', { hasEnvFile: true }, true],
  ['variables', 'warning', 'SLUICE_WORKER_PROT', { unknownVariables: ['SLUICE_WORKER_PROT'] }, true],
  [
    'values',
    'failure',
    'SLUICE_WORKERS is',
    { variableProblems: ['SLUICE_WORKERS is "no"; accepted: a number'] },
    true,
  ],
  ['values', 'warning', 'SLUICE_WORKER_PORT', { passedOverVariables: ['SLUICE_WORKER_PORT'] }, true],
  ['archive', 'ok', '/a is writable', { archive: { dir: '/a', problem: null } }, true],
  ['archive', 'failure', '/a: the directory does not exist', { archive: readArchiveFacts('/a') }, true],
  ['archive', 'failure', 'not a directory', { archive: readArchiveFacts('package.json') }, true],
  ['recording', 'ok', 'on', {}, true],
  ['recording', 'warning', 'DSL_EXECUTION_LOG_ENABLED', {}, false],
];

test.for(cases)('host: %s is a(n) %s that says "%s", given %o', ([check, level, says, facts, recordingEnabled]) => {
  const finding = findingOf(checkHost({ ...host, ...facts }, { recordingEnabled }), check);
  expect(finding.level).toBe(level);
  expect(finding.text).toContain(says);
});

test('host: a server that is not configured is a failure that names the variable', () => {
  expect(checkMissingUrl('redis', 'REDIS_URL')).toMatchObject({ subject: 'redis', level: 'failure' });
});

test.for([
  ['6.2.14', '6.2.0', false],
  ['6.2.0', '6.2.0', false],
  ['6.0.20', '6.2.0', true],
  ['10.0.0', '6.2.0', false],
  ['v22.9.0', '>=22.18', true],
  ['5', '6.2', true],
] as const)('versions: that %s is below %s is %s', ([version, minimum, below]) => {
  expect(isBelow(version, minimum)).toBe(below);
});

test('versions: numbers are read from wherever they begin, and what is missing is 0', () => {
  expect(versionNumbers('bullmq 6.7')).toEqual([6, 7, 0]);
  expect(versionNumbers('none')).toEqual([0, 0, 0]);
});
