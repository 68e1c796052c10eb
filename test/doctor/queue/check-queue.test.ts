import { expect, test } from 'vitest';
import type { Answer } from '../../../doctor/answer.ts';
import { checkQueue } from '../../../doctor/queue/check-queue.ts';
import type { QueueFacts } from '../../../queries/queues/queue-facts.ts';
import { queueKeys } from '../../../shared/platform/redis/read-queue.ts';
import { findingOf } from '../../support/finding-of.ts';

const idle: QueueFacts = {
  library: 'bullmq:6.7.0',
  paused: false,
  waiting: 0,
  delayed: 0,
  active: 0,
  failed: 0,
  oldestWaitSeconds: null,
  events: 0,
  eventsKept: 1_000,
};
const { workerConnection } = queueKeys('execution-log', 'sluice');
const forbidden = { known: false, code: 'NOPERM', why: 'NOPERM this user may not' } as const;

function judge(facts: Partial<QueueFacts>, clientNames: Answer<string[]> = { known: true, value: [workerConnection] }) {
  return checkQueue(
    { known: true, value: { ...idle, ...facts } },
    { queue: 'execution-log', namespace: 'sluice', ownVersion: '6.7.0', clientNames },
  );
}

test('queue: an idle one with a worker has nothing but ok', () => {
  expect(judge({}).map(({ level }) => level)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
});

const nobody: Answer<string[]> = { known: true, value: ['sluice:producer', `${workerConnection}:qe`, 'someone'] };
const cases: [check: string, level: string, says: string, facts: Partial<QueueFacts>, clients?: Answer<string[]>][] = [
  ['bullmq', 'ok', 'not used yet', { library: null }],
  ['bullmq', 'ok', '6.7.3', { library: 'bullmq:6.7.3' }],
  ['bullmq', 'ok', '6.2.0, this build has 6.7.0', { library: 'bullmq:6.2.0' }],
  ['bullmq', 'failure', 'BullMQ 5.61.0', { library: 'bullmq:5.61.0' }],
  ['bullmq', 'failure', 'BullMQ 7.0.0', { library: 'bullmq:7.0.0' }],
  ['bullmq', 'warning', 'bullmq-pro:7.1.0', { library: 'bullmq-pro:7.1.0' }],
  ['bullmq', 'warning', 'last opened by 6.7.0', { library: '6.7.0' }],
  ['backlog', 'ok', '9 jobs wait, the oldest for 60 s', { waiting: 9, oldestWaitSeconds: 60 }],
  ['backlog', 'warning', 'start more workers', { waiting: 9, oldestWaitSeconds: 61 }],
  ['backlog', 'warning', '900 s', { waiting: 9, oldestWaitSeconds: 900 }],
  ['backlog', 'failure', '901 s', { waiting: 9, oldestWaitSeconds: 901 }],
  ['backlog', 'warning', 'sluice queues resume execution-log', { paused: true }],
  ['backlog', 'failure', 'sluice queues resume execution-log', { paused: true, waiting: 1, oldestWaitSeconds: 1_000 }],
  ['workers', 'ok', '2 connected', {}, { known: true, value: [workerConnection, `${workerConnection}:w:a`] }],
  ['workers', 'ok', 'nothing to do', {}, nobody],
  ['workers', 'warning', 'jobs wait', { waiting: 1 }, nobody],
  ['workers', 'warning', 'jobs wait', { delayed: 1 }, nobody],
  ['workers', 'warning', 'left 3 active jobs', { active: 3 }, nobody],
  ['workers', 'warning', 'NOPERM', {}, forbidden],
  ['failed', 'warning', 'sluice queues retry execution-log', { failed: 4 }],
  ['events', 'ok', '3000 entries', { events: 3_000 }],
  ['events', 'warning', 'XTRIM', { events: 3_001 }],
  ['events', 'ok', '20000 entries', { events: 20_000, eventsKept: null }],
];

test.for(cases)('queue: %s is a(n) %s that says "%s", given %o', ([check, level, says, facts, clients]) => {
  const finding = findingOf(judge(facts, clients), check);
  expect(finding.level).toBe(level);
  expect(finding.text).toContain(says);
});

test('queue: one that cannot be read is a failure', () => {
  const context = { queue: 'execution-log', namespace: 'sluice', ownVersion: '6.7.0', clientNames: nobody } as const;
  const findings = checkQueue({ known: false, code: 'MOVED', why: 'MOVED 1234 10.0.0.2:6379' }, context);
  expect(findings).toHaveLength(1);
  expect(findingOf(findings, 'jobs')).toMatchObject({ level: 'failure' });
});
