import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { startPostgres } from '../../dev/servers/postgres.ts';
import { stopProcess } from '../../dev/servers/processes.ts';
import { uuidV7 } from '../../producers/core/uuid-v7.ts';
import type { RequestRecord } from '../../shared/contracts/completed-request-schema.ts';
import { jobName, queuePrefix } from '../../shared/contracts/queues.ts';
import { readPeakMemory } from '../memory.ts';
import { type Arena, openArena, untilTrue } from './arena.ts';
import type { Scenario } from './scenario.ts';

const mib = 1_048_576;
const containerMib = 512;
const requestJobs = 220;
const executionJobs = 110;
const executionsPerJob = 4;
const outageMs = 5_000;

/** What V8 takes of such a container by itself: three fifths for old objects, and very little for young ones. */
const heapFlags = `--max-old-space-size=${Math.floor(containerMib * 0.6)} --max-semi-space-size=1`;

/**
 * Two megabytes of bodies in each request, and one character that makes the text of each take two bytes a character, beside
 * executions that take many times their text when they are parsed. PostgreSQL is away until the worker's hands are full.
 */
export const largeRequests: Scenario = async ({ stage, rows }) => {
  const arena = await openArena(stage, {
    name: 'large-requests',
    workers: 1,
    environment: { NODE_OPTIONS: heapFlags },
  });
  const prefix = queuePrefix('completed-request', arena.namespace);
  const requests = new Queue('completed-request', { connection: stage.redis, prefix });
  requests.on('error', () => undefined);
  try {
    await arena.query('truncate request, request_template');
    const pid = arena.up()[0]?.pid ?? 0;
    const dir = join(stage.dir, 'postgres');
    const server = await startPostgres({ dir });
    await stopProcess(server.pid, 'SIGKILL', 10_000);

    const ids: string[] = [];
    const add = async (queue: Queue, seq: number, records: readonly { id: string }[] | readonly RequestRecord[]) => {
      for (const record of records) ids.push('id' in record ? record.id : record.requestId);
      await queue.add(jobName, { v: 1, producer: 'faults', epoch: 1, seq, records }, { removeOnComplete: true });
    };
    for (let seq = 1; seq <= requestJobs; seq += 1) await add(requests, seq, [aLargeRequest()]);
    for (let job = 0; job < executionJobs; job += 1)
      await add(
        arena.queue,
        job + 1,
        Array.from({ length: executionsPerJob }, (_, index) =>
          aWideExecution(rows.record(job * executionsPerJob + index)),
        ),
      );
    await sleep(outageMs);
    const inHand = await requests.getActiveCount();
    const again = await startPostgres({ dir, port: server.port });
    stage.onClose('the PostgreSQL that was started again after large requests', again.stop);

    const backAt = performance.now();
    await untilTrue('queues without a job', () => areDrained([requests, arena.queue]));
    const drainSeconds = (performance.now() - backAt) / 1_000;
    const peakMib = readPeakMemory(pid) / mib;
    if (arena.endings.length > 0 || peakMib > containerMib)
      throw new Error(`faults: the worker took ${peakMib.toFixed(0)} MiB, and ${arena.endings.join(', ') || 'lives'}`);
    return {
      scenario: `large requests in a worker of ${containerMib} MiB`,
      ...(await takeAccounts(arena, ids)),
      failed: (await requests.getFailedCount()) + (await arena.queue.getFailedCount()),
      drainSeconds,
      extra: `${peakMib.toFixed(0)} MiB at most, ${inHand} of ${requestJobs} requests in hand while PostgreSQL was away`,
    };
  } finally {
    await requests.close();
    await arena.close();
  }
};

function aLargeRequest(): RequestRecord {
  const now = new Date().toISOString();
  const [requestBody, responseBody] = [`日${'x'.repeat(mib - 3)}`, 'y'.repeat(mib)];
  return {
    phase: 'completed',
    requestId: uuidV7(Date.now()),
    createdBy: 'faults',
    model: 'm',
    endpoint: '/v1/responses',
    serviceTier: 'default',
    startedAt: now,
    completedAt: now,
    requestBody,
    requestEncoding: 'utf8',
    requestBytes: mib,
    requestCut: false,
    responseBody,
    responseEncoding: 'utf8',
    responseBytes: mib,
    responseCut: false,
    statusCode: 200,
    isStream: false,
    isIncomplete: false,
  };
}

function aWideExecution<Record extends object>(record: Record): Record & { input: object[]; externalUserId: string } {
  return { ...record, input: Array.from({ length: 20_000 }, () => ({})), externalUserId: '日' };
}

async function areDrained(queues: readonly Queue[]): Promise<boolean> {
  const counts = await Promise.all(queues.map((queue) => queue.getJobCountByTypes('waiting', 'active', 'delayed')));
  return counts.every((jobs) => jobs === 0);
}

async function takeAccounts(arena: Arena, ids: readonly string[]) {
  const stored = await arena.query<{ id: string }>(
    'select id from request union all select id from strategy_execution_log',
  );
  const dead = await arena.query<{ id: string }>(`select split_part(record_key, '.', 1) as id from dead_letter`);
  const storedIds = new Set(stored.map(({ id }) => id));
  const known = new Set([...storedIds, ...dead.map(({ id }) => id)]);
  return {
    recorded: ids.length,
    stored: stored.length,
    lost: ids.filter((id) => !known.has(id)).length,
    duplicated: stored.length - storedIds.size,
    deadLetters: dead.length,
    stalls: arena.stalls(),
  };
}
