import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { createProcessSender } from '../../contracts/process-sender.ts';
import type { Delivery, Query, Refusal, Sender } from '../../contracts/run-conformance.ts';
import type { QueueName } from '../../shared/contracts/queues.ts';
import { createCompletedRequest } from '../../workers/completed-requests/role.ts';
import { aGateway } from './a-gateway.ts';
import { openSdk } from './conformance-sdk.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from './fixtures.ts';
import { inheritedEnvironment } from './inherited-environment.ts';
import { addJob, openRawRedis } from './raw-job.ts';
import { redisEnvironment, redisSettings } from './redis-target.ts';
import { startRole, startWorker } from './worker.ts';

/** A database and workers that fill it, for a run of the conformance kit. */
export async function aConformancePlace() {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const client = await connect(databaseUrl);
  const queues = (['execution-log', 'completed-request'] as const).map((name) =>
    openQueue(namespace, inject('redisUrl'), name),
  );
  await startWorker(databaseUrl, namespace);
  await startRole(createCompletedRequest, databaseUrl, namespace);
  return {
    databaseUrl,
    namespace,
    query: (async (sql, parameters) => (await client.query(sql, [...parameters])).rows) satisfies Query,
    /** Resolves when nothing is in the queues any more. */
    async settled(): Promise<void> {
      await until(async () => {
        const counts = await Promise.all(queues.map((queue) => queue.getJobCounts('waiting', 'active', 'delayed')));
        return counts.every(({ waiting, active, delayed }) => waiting === 0 && active === 0 && delayed === 0);
      });
    },
    /** the dead letters by the jobs that had them */
    async deadLetters(): Promise<{ jobId: string; code: string; reason: string }[]> {
      return (await client.query('select job_id as "jobId", code, reason from dead_letter')).rows;
    },
  };
}

type Place = Awaited<ReturnType<typeof aConformancePlace>>;

/** The SDK inside the test's own process. */
export function sdkSender({ namespace, settled }: Place): Sender {
  const sdk = openSdk({ redis: redisSettings(inject('redisUrl')), namespace });
  onTestFinished(sdk.close);
  const refusals: Refusal[] = [];
  return {
    face: 'sdk',
    async send({ case: name, to, json }) {
      const refusal = await sdk.send(name, to, JSON.parse(json) as never);
      if (refusal !== null) refusals.push(refusal);
    },
    async finish() {
      await sdk.close();
      await settled();
      return refusals;
    },
  };
}

/** The SDK in a process of its own, which gets the kit line by line as a program in any language does. */
export function sdkProcessSender({ namespace, settled }: Place): Sender {
  return createProcessSender({
    face: 'sdk',
    command: process.execPath,
    args: [resolve('test/support/conformance-sdk-process.ts')],
    environment: { ...inheritedEnvironment(), ...redisEnvironment(inject('redisUrl')), SLUICE_NAMESPACE: namespace },
    settled: async () => {
      await settled();
      return [];
    },
  });
}

/** A gateway, and whoever sends it a record at a time. */
export async function gatewaySender({ namespace, settled }: Place): Promise<Sender> {
  const gateway = await aGateway({ SLUICE_NAMESPACE: namespace });
  const refusals: Refusal[] = [];
  return {
    face: 'gateway',
    async send({ case: name, to, json }) {
      const id = encodeURIComponent(String(JSON.parse(json)?.requestId ?? randomUUID()));
      const answer = await gateway.send(to === 'begin' ? `/v1/requests/${id}/begin` : `/v1/${to}`, `[${json}]`, {
        method: to === 'begin' ? 'PUT' : 'POST',
        headers: { 'content-type': 'application/json' },
      });
      if (answer.status >= 500) throw new Error(`the gateway answered with ${answer.status} to ${name}`);
      const rejected = answer.body.rejected ?? [];
      if (answer.status !== 202 || rejected.length > 0)
        refusals.push({ case: name, field: rejected[0]?.field ?? null });
    },
    async finish() {
      await settled();
      return refusals;
    },
  };
}

/** Jobs that are made of plain Redis commands, as whoever has no client of BullMQ writes them: a chunk for each record. */
export function jobSender({ namespace, settled, deadLetters }: Place): Sender {
  const redis = openRawRedis();
  const caseOf = new Map<string, string>();
  let seq = 0;
  return {
    face: 'job',
    async send({ case: name, to, json }) {
      seq += 1;
      const shard: QueueName = to === 'executions' ? 'execution-log' : 'completed-request';
      const jobId = `kit.1.${seq}`;
      caseOf.set(jobId, name);
      const version = /"(traceId|spanId)":/.test(json) ? 2 : 1;
      const data = `{"v":${version},"producer":"kit","epoch":1,"seq":${seq},"records":[${toRecordText(to, json)}]}`;
      await addJob(redis, { namespace, shard, jobId, data });
    },
    async finish() {
      await settled();
      return (await deadLetters()).map(({ jobId, code, reason }) => ({
        case: caseOf.get(jobId) ?? jobId,
        field: code === 'schema' ? fieldOf(reason) : 'record',
      }));
    },
  };
}

/** The field that a refusal of the contract is about; `record`: all of it. */
function fieldOf(reason: string): string {
  const [, unknown] = /^value: Unrecognized key: "([^"]*)"/.exec(reason) ?? [];
  const [, field = 'record'] = /^(\w+)[:[.]/.exec(reason) ?? [];
  return unknown ?? (field === 'value' ? 'record' : field);
}

/** An input as a record: what a record needs, and the input lacks, is put before it. Its own text stays as it is. */
function toRecordText(to: Delivery['to'], json: string): string {
  const input = JSON.parse(json);
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return json;
  const needed = to === 'executions' ? neededOfExecution(input) : neededOfRequest(to, input);
  const missing = Object.fromEntries(Object.entries(needed).filter(([name]) => !(name in input)));
  return `${JSON.stringify(missing).slice(0, -1)},${json.slice(1)}`;
}

function neededOfExecution({ status }: Record<string, unknown>) {
  return {
    ...{ id: randomUUID(), recordedAt: new Date().toISOString(), strategyVersion: 0, strategyType: 'unknown' },
    ...{ nodesExecuted: 0, sampled: status === 'ok', sampleRate: 1, attempt: 1 },
  };
}

function neededOfRequest(to: Delivery['to'], input: Record<string, unknown>) {
  const begun = {
    ...{
      requestId: randomUUID(),
      serviceTier: 'priority',
      requestBody: '',
      requestEncoding: 'utf8',
      requestCut: false,
    },
    requestBytes: sizeOf(input['requestBody'], input['requestEncoding']),
  };
  if (to === 'begin') return { phase: 'begun', ...begun };
  return {
    ...{ phase: 'completed', ...begun, completedAt: new Date().toISOString() },
    ...{ responseBody: '', responseEncoding: 'utf8', responseCut: false, isStream: false, isIncomplete: false },
    responseBytes: sizeOf(input['responseBody'], input['responseEncoding']),
  };
}

function sizeOf(body: unknown, encoding: unknown): number {
  return typeof body === 'string' ? Buffer.byteLength(body, encoding === 'base64' ? 'base64' : 'utf8') : 0;
}
