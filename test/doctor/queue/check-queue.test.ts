import { expect, test } from 'vitest';
import type { Answer } from '../../../doctor/answer.ts';
import { checkQueue, type QueueContext, type ShardFacts } from '../../../doctor/queue/check-queue.ts';
import type { QueueFacts } from '../../../queries/queues/queue-facts.ts';
import { shardName } from '../../../shared/contracts/queues.ts';
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

const context: QueueContext = {
  queue: 'execution-log',
  namespace: 'sluice',
  ownVersion: '6.7.0',
  unansweredShards: 0,
  producersShards: 1,
  servers: 1,
};

function judge(facts: Partial<QueueFacts>, clientNames: Answer<string[]> = { known: true, value: [workerConnection] }) {
  return checkQueue(
    [{ shard: 'execution-log', server: 'a:1', facts: { known: true, value: { ...idle, ...facts } }, clientNames }],
    context,
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

const unread = { known: false, code: 'MOVED', why: 'MOVED 1234 10.0.0.2:6379' } as const;

test('queue: one that cannot be read is a failure', () => {
  const findings = checkQueue([{ shard: 'execution-log', server: null, facts: unread, clientNames: nobody }], {
    ...context,
    unansweredShards: 255,
  });
  expect(findings).toHaveLength(1);
  expect(findingOf(findings, 'jobs')).toMatchObject({
    level: 'failure',
    text: expect.stringMatching(/^could not be checked: MOVED/),
  });
});

interface Seen extends Partial<QueueFacts> {
  server?: string;
  /** processes that wait for its jobs */
  workers?: number;
  isSilent?: boolean;
}

/** The findings on a queue of several shards. */
function judgeShards(shards: readonly Seen[], more: Partial<QueueContext> = {}) {
  const seen = shards.map(({ server = 'a:1', workers = 1, isSilent = false, ...facts }, index): ShardFacts => {
    const shard = shardName('execution-log', index);
    const value = Array<string>(workers).fill(queueKeys(shard, 'sluice').workerConnection);
    return {
      shard,
      server,
      facts: isSilent ? unread : { known: true, value: { ...idle, ...facts } },
      clientNames: { known: true, value },
    };
  });
  return checkQueue(seen, { ...context, producersShards: shards.length, ...more });
}

test('queue: its shards are one queue, and none is named while nothing is wrong', () => {
  const findings = judgeShards([
    { waiting: 2, oldestWaitSeconds: 5 },
    { waiting: 3, oldestWaitSeconds: 9, active: 1 },
  ]);
  expect(findings.map(({ level }) => level)).toEqual(Array(6).fill('ok'));
  expect(findingOf(findings, 'backlog').text).toContain('5 jobs wait, the oldest for 9 s; 1 active, 0 delayed');
  expect(findingOf(findings, 'workers').text).toContain('1 connected');
  expect(findingOf(findings, 'shards').text).toBe('2 -> null');
});

const shardCases: [check: string, level: string, says: string, shards: Seen[], more?: Partial<QueueContext>][] = [
  ['jobs', 'failure', 'execution-log-1 could not be checked: MOVED', [{}, { isSilent: true }]],
  ['jobs', 'failure', '80 more shards do not answer', [{}, {}], { unansweredShards: 80 }],
  ['bullmq', 'failure', 'execution-log-1: last opened by BullMQ 5.61.0', [{}, { library: 'bullmq:5.61.0' }]],
  ['backlog', 'warning', 'execution-log-1 paused; 4 jobs wait', [{ waiting: 1 }, { paused: true, waiting: 3 }]],
  ['backlog', 'warning', 'paused; 0 jobs wait', [{ paused: true }, { paused: true }]],
  ['workers', 'ok', '2 connected', [{ workers: 2 }, { workers: 0 }]],
  ['workers', 'warning', 'none waits for jobs of execution-log-1', [{ workers: 2 }, { workers: 0, waiting: 1 }]],
  ['workers', 'warning', 'none is connected, and jobs wait', [{ workers: 0 }, { workers: 0, waiting: 1 }]],
  ['failed', 'warning', '5 jobs in execution-log-1, execution-log-2;', [{}, { failed: 2 }, { failed: 3 }]],
  ['failed', 'warning', "ZREVRANGE '{sluice:execution-log-1}:execution-log-1:failed'", [{}, { failed: 2 }]],
  ['events', 'warning', 'execution-log-1: 3001 entries', [{}, { events: 3_001 }]],
  ['shards', 'ok', '2 on 2 of 3 servers', [{}, { server: 'b:1' }], { servers: 3 }],
  ['shards', 'warning', 'all 2 are on a:1, one of 3 servers', [{}, {}], { servers: 3 }],
  ['shards', 'ok', 'is 1 here, and jobs are also in execution-log-1', [{}, { waiting: 1 }], { producersShards: 1 }],
];

test.for(shardCases)('shards: %s is a(n) %s that says "%s", given %o', ([check, level, says, shards, more]) => {
  const finding = findingOf(judgeShards(shards, more), check);
  expect(finding.level).toBe(level);
  expect(finding.text).toContain(says);
});
