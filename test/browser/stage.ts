import type { RuntimeStatus } from '../../shared/contracts/runtime-status.ts';
import { storeRequests } from '../../workers/completed-requests/store.ts';
import { aConsole } from '../support/a-console.ts';
import { openQueue } from '../support/fixtures.ts';
import { connectRedis, insertRuntimeRecord } from '../support/health.ts';
import { aCompletion } from '../support/requests.ts';
import { insertDeadLetter } from '../support/seed-console.ts';
import { storeDemoRuns } from './demo-data.ts';

/** A console that listens, on a database and in a namespace of the test's own. */
export async function aStage(environment: Record<string, string> = {}) {
  const console = await aConsole(environment);
  const url = await console.app.listen({ host: '127.0.0.1', port: 0 });
  console.start();
  return { ...console, url };
}

export type Stage = Awaited<ReturnType<typeof aStage>>;

const games: [RuntimeStatus, string, number][] = [
  ['running', 'healthy', 14],
  ['engine_unreachable', 'probe_failed', 3],
  ['generation_failed', 'healthy', 2],
  ['starting', '', 1],
  ['finished', 'healthy', 5],
];

/** Something of every kind, as the demo leaves it: runs of a day, dead letters of three causes, requests, games, waiting jobs. */
export async function fill(stage: Stage): Promise<void> {
  await storeDemoRuns(stage.database, 4_000);
  await fillDeadLetters(stage);
  await fillRequests(stage);
  for (const [status, engineHealth, count] of games) {
    for (let n = 1; n <= count; n += 1)
      await insertRuntimeRecord(stage.client, { game_id: `game-${status}-${n}`, status, engine_health: engineHealth });
  }
  await connectRedis().xadd(stage.keys.stream, `${Date.now() - 4_000}-0`, 'game_id', 'game-running-1');
  const queue = openQueue(stage.namespace);
  await queue.addBulk(
    Array.from({ length: 12 }, (_, n) => ({
      name: 'chunk',
      data: { v: 1, producer: 'demo', epoch: 'e', seq: n, records: [] },
    })),
  );
}

async function fillDeadLetters({ client }: Stage): Promise<void> {
  const causes = [
    {
      code: '22P05',
      reason: 'unsupported Unicode escape sequence',
      signature: '22P05 unsupported Unicode escape sequence',
      deadLetters: 6,
    },
    {
      code: 'schema',
      reason: 'durationMs: Invalid input: expected number, received string',
      signature: 'schema durationMs: Invalid input',
      deadLetters: 3,
    },
    {
      code: '23514',
      reason: 'no partition of relation found for row',
      signature: '23514 no partition of relation found for row',
      deadLetters: 1,
    },
  ];
  for (const { deadLetters, ...cause } of causes) {
    for (let n = 0; n < deadLetters; n += 1) await insertDeadLetter(client, cause);
  }
}

async function fillRequests({ database }: Stage): Promise<void> {
  const requests = Array.from({ length: 30 }, (_, n) => {
    const startedAt = new Date(Date.now() - n * 61_000);
    return aCompletion({
      createdBy: `creator-${n % 4}`,
      model: n % 3 === 0 ? 'gpt-5-mini' : 'gpt-5',
      statusCode: n % 9 === 0 ? 429 : 200,
      startedAt: startedAt.toISOString(),
      completedAt: new Date(startedAt.getTime() + 400 + n * 37).toISOString(),
    });
  });
  await storeRequests(database, JSON.stringify(requests));
}
