import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../shared/platform/config/config.ts';
import { requireRedis } from '../shared/platform/config/config.ts';
import { createCloseStack } from '../shared/platform/lifecycle.ts';
import { createDatabase } from '../shared/platform/postgres/database.ts';
import { createRedis } from '../shared/platform/redis/redis.ts';
import type { Accounted } from './add-up.ts';
import type { Timeline } from './executions/demo-events.ts';
import type { ScoringEvent } from './executions/events.ts';
import { createExecutionTraffic } from './executions/execution-traffic.ts';
import type { Accounts } from './executions/reconcile-executions.ts';
import type { GameEntry } from './games/game-events.ts';
import { createGameTraffic } from './games/game-traffic.ts';
import type { GameAccounts } from './games/reconcile-games.ts';
import { createProgress } from './progress.ts';
import { storeDemoPrices } from './requests/demo-prices.ts';
import { creatorCount, type RequestEvent } from './requests/request-events.ts';
import { type AllRequestAccounts, createRequestTraffic } from './requests/request-traffic.ts';
import type { GatewayRoute } from './senders/gateway-route.ts';
import type { Traffic } from './traffic.ts';

/** What a run of the demo sends. */
export interface DemoTraffic {
  executions: Timeline<ScoringEvent>;
  /** null: no requests */
  requests: Timeline<RequestEvent> | null;
  /** null: no games */
  games: { count: number; timeline: Timeline<GameEntry> } | null;
  /** share of ok runs that are kept */
  sampleRate: number;
  /** of the texts in the requests */
  seed: number;
  /** the way of every second execution and request; null: all of them go by the SDK. @default null */
  gateway?: GatewayRoute | null;
}

/** The result of the demo: the accounts of the executions, and those of the requests and of the games. */
export interface DemoResult extends Accounted<Accounts> {
  /** null if there were none */
  requests: AllRequestAccounts | null;
  /** null if there were none */
  games: GameAccounts | null;
  /** all accounts add up */
  reconciled: boolean;
  /** from the first event to the last row, in seconds */
  seconds: number;
  /** the realms in the execution rows of this run */
  realms: string[];
  /** the creators in its request rows */
  creators: string[];
}

const settleTimeoutMs = 120_000;
const lookEveryMs = 100;

/** Sends traffic as real services do, waits until it has settled, and accounts for all of it. */
export async function runDemo(config: Config, options: DemoTraffic, signal: AbortSignal): Promise<DemoResult> {
  const run = randomBytes(4).toString('hex');
  const producer = `demo-${run}`;
  const realms = realmsOf(producer);
  const creators = creatorsOf(producer);
  const { gateway: route = null } = options;
  const throughGateway = route && {
    route,
    realms: realmsOf(`${producer}-gateway`),
    creators: creatorsOf(`${producer}-gateway`),
  };
  const closing = createCloseStack(() => undefined);
  try {
    const database = createDatabase(config.database, 'sluice demo');
    closing.push('database', () => database.$disconnect());
    const redis = createRedis(requireRedis(config.redis), { role: 'worker', name: 'sluice:demo', logger: null });
    closing.push('redis', async () => redis.disconnect());
    const { sampleRate, seed } = options;
    const shared = { config, database, redis, producer, gateway: throughGateway, seed, signal };
    const executions = createExecutionTraffic({ ...shared, timeline: options.executions, sampleRate, realms });
    closing.push('executions', executions.close);
    const requests = options.requests && createRequestTraffic({ ...shared, timeline: options.requests, creators });
    if (requests) closing.push('requests', requests.close);
    const games =
      options.games &&
      createGameTraffic({ ...shared, timeline: options.games.timeline, games: options.games.count, run });
    const watched = { executions, ...(requests && { requests }), ...(games && { 'health events': games }) };
    const traffics = Object.values(watched);
    const progress = createProgress(watched);
    closing.push('progress', async () => progress.stop());

    if (requests) await storeDemoPrices(database, progress.say);
    const startedAt = performance.now();
    await Promise.all(traffics.map((traffic) => traffic.produce()));
    progress.say('flushing the producers');
    await Promise.all(traffics.map((traffic) => traffic.flush()));
    await settle(traffics);
    const seconds = Number(((performance.now() - startedAt) / 1_000).toFixed(2));
    const accounts = await executions.reconcile();
    const ofRequests = requests ? await requests.reconcile() : null;
    const ofGames = games ? await games.reconcile() : null;
    const reconciled = [accounts, ofRequests, ofGames].every((each) => each?.reconciled !== false);
    const found = { ...accounts, requests: ofRequests, games: ofGames, reconciled };
    return {
      ...found,
      seconds,
      realms: [...realms, ...(throughGateway?.realms ?? [])],
      creators: requests ? [...creators, ...(throughGateway?.creators ?? [])] : [],
    };
  } finally {
    await closing.closeAll();
  }
}

/** Of one sender: they tell its rows from those of others. */
function realmsOf(sender: string): string[] {
  return ['north', 'south', 'west'].map((name) => `${sender}-${name}`);
}

function creatorsOf(sender: string): string[] {
  return Array.from({ length: creatorCount }, (_, index) => `${sender}-user-${index + 1}`);
}

/** Waits while something is on its way: for jobs of a killed worker, until their locks have expired. */
async function settle(traffics: readonly Pick<Traffic<unknown>, 'isSettled'>[]): Promise<void> {
  const deadline = performance.now() + settleTimeoutMs;
  for (;;) {
    const settled = await Promise.all(traffics.map((traffic) => traffic.isSettled()));
    if (settled.every(Boolean) || performance.now() > deadline) return;
    await sleep(lookEveryMs);
  }
}
