import { generateEvents } from '../../demo/executions/events.ts';
import { createScoringService } from '../../demo/executions/scoring-service.ts';
import { demoStrategies } from '../../demo/executions/strategies.ts';
import { createRandom } from '../../demo/random.ts';
import { storeDemoPrices } from '../../demo/requests/demo-prices.ts';
import { createGateway } from '../../demo/requests/gateway.ts';
import { creatorCount, generateRequests } from '../../demo/requests/request-events.ts';
import { toExecutionRecord } from '../../producers/executions/execution-record.ts';
import type { CompletedRequest, Execution } from '../../producers/index.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { storeRequests } from '../../workers/completed-requests/store.ts';
import { insertExecutions } from '../../workers/execution-log/store.ts';
import { aCompletion, type Completion } from '../support/requests.ts';

const sampleRate = 0.25;
const hourMs = 3_600_000;
const bounds = { sampleRate, traceLimit: 200, maxBytes: 65_536 };

/** Of every run this one is slow, as if it had waited for its database. */
const slowEvery = 60;

/**
 * Runs of the demo's scoring service over the last 23 hours, as its observer and a worker would have stored them, but for
 * their times: recorded as if they had come then, and taking as long as a service takes that asks a database.
 *
 * @returns how many rows there are
 */
export async function storeDemoRuns(database: Database, events: number): Promise<number> {
  const random = createRandom(11);
  const nowMs = Date.now();
  const records: string[] = [];
  let run = 0;
  const take = (execution: Execution): void => {
    run += 1;
    const isKept = execution.status !== 'ok' || random() < sampleRate;
    if (!isKept) return;
    const atMs = nowMs - 23 * hourMs * (1 - run / events);
    const durationMs = Math.exp(1.5 + 1.1 * (random() + random() + random() - 1.5)) * (run % slowEvery === 0 ? 45 : 1);
    const { json } = toExecutionRecord({ ...execution, durationMs, recordedAt: new Date(atMs) }, { ...bounds, nowMs });
    records.push(json);
  };
  const score = createScoringService({
    observer: { record: take },
    strategies: demoStrategies,
    realms: ['acme', 'borealis'],
  });
  for (const event of generateEvents({ count: events, seed: 7, strategies: demoStrategies })) score(event);
  await insertExecutions(database, `[${records.join(',')}]`, records.length);
  return records.length;
}

/**
 * Requests of the demo's model gateway over the last 23 hours, as a worker would have stored them, with the demo's prices.
 *
 * @returns how many there are
 */
export async function storeDemoRequests(database: Database, count: number): Promise<number> {
  await storeDemoPrices(database, () => undefined);
  const ended: CompletedRequest[] = [];
  const sender = { begin: async () => undefined, send: async (request: CompletedRequest) => void ended.push(request) };
  const creators = Array.from({ length: creatorCount }, (_, n) => `creator-${n + 1}`);
  const gateway = createGateway({ sender, creators, random: createRandom(5), signal: new AbortController().signal });
  const events = [...generateRequests({ count, seed: 5, perSecond: 1 })].map((event) => ({
    ...event,
    // What is waited for in the background takes time here, too.
    ...(event.kind === 'background' && { kind: 'plain' as const }),
    contextTokens: Math.min(event.contextTokens, 2_000),
    generatedTokens: Math.min(event.generatedTokens, 500),
    isRepeated: false,
  }));
  for (const event of events) await gateway.handle(event);
  const nowMs = Date.now();
  const records = ended.map((request, index) => toRecord(request, nowMs - 23 * hourMs * (1 - (index + 1) / count)));
  await storeRequests(database, JSON.stringify(records));
  return records.length;
}

/** As if it had arrived then, and taken ten times as long. */
function toRecord(request: CompletedRequest, atMs: number): Completion {
  const [startedAt, completedAt] = [Number(request.startedAt), Number(request.completedAt)];
  const at = (ms: number): string => new Date(atMs + (ms - startedAt) * 10).toISOString();
  return aCompletion({
    requestId: request.requestId,
    createdBy: request.createdBy,
    model: request.model ?? '',
    provider: request.provider ?? null,
    endpoint: request.endpoint ?? '',
    requestBody: String(request.requestBody ?? ''),
    responseBody: String(request.responseBody ?? ''),
    statusCode: request.statusCode,
    startedAt: at(startedAt),
    completedAt: at(completedAt),
    isStream: request.isStream ?? false,
    isIncomplete: request.isIncomplete ?? false,
    firstTokenAt: request.firstTokenAt == null ? null : at(Number(request.firstTokenAt)),
  });
}

/** The strategy that the demo runs most often. */
export const busiest = demoStrategies[0]?.id ?? '';
export const second = demoStrategies[1]?.id ?? '';
