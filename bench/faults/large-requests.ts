import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { describeExit } from '../../dev/fleet/fleet.ts';
import { startPostgres } from '../../dev/servers/postgres.ts';
import { stopProcess } from '../../dev/servers/processes.ts';
import { uuidV7 } from '../../producers/core/uuid-v7.ts';
import type { RequestRecord } from '../../shared/contracts/completed-request-schema.ts';
import { jobName, queuePrefix } from '../../shared/contracts/queues.ts';
import { readPeakMemory } from '../memory.ts';
import { takeAccounts, untilDrained } from './accounts.ts';
import { startFaultFleet } from './fault-fleet.ts';
import type { Scenario } from './scenario.ts';

const mib = 1_048_576;
const containerMib = 512;
const requestJobs = 220;
const executionJobs = 110;
const executionsPerJob = 4;
const outageMs = 5_000;

/** V8's own heap sizes in such a container: three fifths for old objects, and very little for young ones. */
const heapFlags = `--max-old-space-size=${Math.floor(containerMib * 0.6)} --max-semi-space-size=1`;

/**
 * Two megabytes of bodies in each request, with one character that makes each text take two bytes per character, together with
 * executions that take many times their text once parsed. PostgreSQL is away until the worker can take no more jobs.
 */
export const largeRequests: Scenario = async ({ testbed, rows }) => {
  const fleet = await startFaultFleet(testbed, {
    name: 'large-requests',
    workers: 1,
    environment: { NODE_OPTIONS: heapFlags },
  });
  const prefix = queuePrefix('completed-request', fleet.namespace);
  const requests = new Queue('completed-request', { connection: testbed.redis, prefix });
  requests.on('error', () => undefined);
  try {
    const pid = fleet.up()[0]?.pid ?? 0;
    const dir = join(testbed.dir, 'postgres');
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
        fleet.queue,
        job + 1,
        Array.from({ length: executionsPerJob }, (_, index) =>
          aWideExecution(rows.record(job * executionsPerJob + index)),
        ),
      );
    await sleep(outageMs);
    const inHand = await requests.getActiveCount();
    const again = await startPostgres({ dir, port: server.port });
    testbed.onClose('the PostgreSQL that was started again after large requests', again.stop);

    const backAt = performance.now();
    await untilDrained([requests, fleet.queue]);
    const drainSeconds = (performance.now() - backAt) / 1_000;
    const peakMib = readPeakMemory(pid) / mib;
    if (fleet.exits.length > 0 || peakMib > containerMib)
      throw new Error(
        `faults: the worker took ${peakMib.toFixed(0)} MiB, and ${fleet.exits.map(describeExit).join(', ') || 'lives'}`,
      );
    return {
      scenario: `large requests in a worker of ${containerMib} MiB`,
      ...(await takeAccounts(fleet, ids, [requests, fleet.queue])),
      drainSeconds,
      extra: `${peakMib.toFixed(0)} MiB at most, ${inHand} of ${requestJobs} requests in hand while PostgreSQL was away`,
    };
  } finally {
    await requests.close();
    await fleet.close();
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
