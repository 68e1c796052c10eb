import { toError } from '../../shared/platform/errors.ts';
import { isCluster, primariesOf } from '../../shared/platform/redis/cluster-nodes.ts';
import { createRedis, type Redis } from '../../shared/platform/redis/redis.ts';
import type { RedisTarget } from '../../shared/platform/redis/redis-target.ts';
import { type Answer, type Ask, createAsk, timeoutCode, type Unanswered } from '../answer.ts';
import type { ClockReading } from '../check-clock.ts';
import { parseRedisInfo, type RedisServer } from './redis-info.ts';

/** What a Redis server that answers was found to be. */
export interface RedisFacts {
  /** host and port */
  name: string;
  server: Answer<RedisServer>;
  /** when snapshots are made, as CONFIG GET save tells it; empty: never */
  savePoints: Answer<string>;
  clock: Answer<ClockReading>;
  /** names of the connections to it, of all who use it */
  clientNames: Answer<string[]>;
}

/** A connection to look at a server with: ready, or why it is not. `ask` holds for all questions to it. */
export interface RedisConnection {
  redis: Redis;
  ask: Ask;
  state: Answer<'ready' | 'loading'>;
  close(): void;
}

/** For one more question to a server that does not become ready. */
const secondLookMs = 1_000;

/**
 * Connects, or says in time why not. Only commands that read are sent.
 *
 * @param withinMs milliseconds for each question, the connecting included
 * @param hide blanks secrets in what the server says
 */
export async function connectToRedis(
  target: RedisTarget,
  { withinMs, hide }: { withinMs: number; hide(text: string): string },
): Promise<RedisConnection> {
  const explain = (thrown: unknown) => explainRedisError(thrown, hide);
  const ask = createAsk({ withinMs, explain });
  const redis = createRedis(target, { role: 'producer', name: 'sluice:doctor', logger: null });
  // The client's own rejection says no more than that the connection is closed; the reason comes as an event before.
  let complaint: Unanswered | null = null;
  redis.on(isCluster(redis) ? 'node error' : 'error', (error: Error) => {
    complaint ??= { known: false, ...explain(error) };
  });
  const connected = await ask(() => redis.connect());
  const heard = complaint as Unanswered | null;
  const connection = { redis, ask, close: () => redis.disconnect() };
  // Also when it is ready all the same: a database number that was refused leaves it on another database. Of a cluster, one
  // node that is away keeps nobody from the others.
  if (heard !== null && !(isCluster(redis) && connected.known)) return { ...connection, state: heard };
  if (connected.known) return { ...connection, state: { known: true, value: 'ready' } };
  // A server that is loading answers INFO and little else, and the client waits for it to become ready.
  const isLoading =
    connected.code === timeoutCode && redis.status === 'connect' && (await looksLoading(redis, explain));
  return { ...connection, state: isLoading ? { known: true, value: 'loading' } : connected };
}

async function looksLoading(redis: Redis, explain: (thrown: unknown) => Omit<Unanswered, 'known'>): Promise<boolean> {
  const info = await createAsk({ withinMs: secondLookMs, explain })(() => redis.info());
  return info.known && parseRedisInfo(info.value).isLoading;
}

/** Looks at each server that takes writes: one, or the primaries of a cluster. */
export async function readAllRedisFacts({ redis, ask }: RedisConnection): Promise<RedisFacts[]> {
  return Promise.all(primariesOf(redis).map((server) => readRedisFacts(server, ask)));
}

/** What its access rules forbid is left unanswered. */
async function readRedisFacts(redis: ReturnType<typeof primariesOf>[number], ask: Ask): Promise<RedisFacts> {
  // The clock first: whatever is sent before it only blurs its reading.
  const [clock, server, savePoints, clientNames] = await Promise.all([
    ask(() => readClock(redis)),
    // By `call`: the client's own would hide that it is forbidden.
    ask(async () => parseRedisInfo(String(await redis.call('INFO')))),
    ask(() => readSavePoints(redis)),
    ask(async () => clientNamesOf(String(await redis.client('LIST')))),
  ]);
  return { name: nameOf(redis), server, savePoints, clock, clientNames };
}

/** Host and port of a server. */
export function nameOf({ options: { host, port } }: ReturnType<typeof primariesOf>[number]): string {
  return `${host}:${port}`;
}

async function readSavePoints(redis: Pick<Redis, 'config'>): Promise<string> {
  const answer: unknown = await redis.config('GET', 'save');
  // A list of names and values in one version of the protocol, a map in the other.
  const pairs = Array.isArray(answer) ? answer : Object.entries(answer as object).flat();
  if (pairs[0] !== 'save') throw new Error('the server does not tell when it makes snapshots');
  return String(pairs[1] ?? '');
}

async function readClock(redis: Pick<Redis, 'time'>): Promise<ClockReading> {
  const askedAtMs = Date.now();
  const [seconds, microseconds] = await redis.time();
  return { askedAtMs, answeredAtMs: Date.now(), serverMs: Number(seconds) * 1_000 + Number(microseconds) / 1_000 };
}

/** CLIENT LIST is a line for each connection, of fields `name=value`. Names have no spaces in them. */
export function clientNamesOf(list: string): string[] {
  return list.split('\n').flatMap((line) => / name=(\S+)/.exec(line)?.[1] ?? []);
}

/** A Redis error begins with its code in capitals; a socket's has one of its own. */
function explainRedisError(thrown: unknown, hide: (text: string) => string): Omit<Unanswered, 'known'> {
  const error = toError(thrown);
  const ownCode = 'code' in error && typeof error.code === 'string' ? error.code : null;
  const code = ownCode ?? /^[A-Z]{3,}\b/.exec(error.message)?.[0] ?? codeOfConnection(error);
  return { code, why: hide(error.message).replaceAll(/\s+/g, ' ').slice(0, 200) };
}

/** What the client says by itself when it finds no server, by its first words. */
function codeOfConnection({ message }: Error): string {
  if (message.startsWith('All sentinels are unreachable'))
    return /\b(WRONGPASS|NOAUTH|NOPERM)\b/.test(message) ? 'SENTINELAUTH' : 'NOSENTINEL';
  return message.startsWith('None of startup nodes is available') ? 'NONODE' : 'unknown';
}
