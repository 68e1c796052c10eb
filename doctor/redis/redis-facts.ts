import { toError } from '../../shared/platform/errors.ts';
import { isCluster, primariesOf } from '../../shared/platform/redis/cluster-nodes.ts';
import { createRedis, type Redis } from '../../shared/platform/redis/redis.ts';
import { classifyRedisError } from '../../shared/platform/redis/redis-errors.ts';
import type { RedisTarget } from '../../shared/platform/redis/redis-target.ts';
import { type Answer, type Ask, createAsk, timeoutCode, type Unanswered } from '../answer.ts';
import type { ClockReading } from '../check-clock.ts';
import { parseRedisInfo, type RedisServer } from './redis-info.ts';

/** What is known about a Redis server that answers. */
export interface RedisFacts {
  /** host and port */
  name: string;
  server: Answer<RedisServer>;
  /** when snapshots are made, as CONFIG GET save reports it; empty: never */
  savePoints: Answer<string>;
  clock: Answer<ClockReading>;
  /** names of all clients' connections */
  clientNames: Answer<string[]>;
}

/** A connection for reading a server's state: ready, or the reason why not. `ask` applies to every question. */
export interface RedisConnection {
  redis: Redis;
  ask: Ask;
  state: Answer<'ready' | 'loading'>;
  close(): void;
}

/** For one more question to a server that does not become ready. */
const secondLookMs = 1_000;

/**
 * Connects, or reports in time why that failed. Sends only commands that read.
 *
 * @param withinMs milliseconds for each question, including the connection
 * @param hide blanks secrets in what the server says
 */
export async function connectToRedis(
  target: RedisTarget,
  { withinMs, hide }: { withinMs: number; hide(text: string): string },
): Promise<RedisConnection> {
  const explain = (thrown: unknown) => toUnanswered(thrown, hide);
  const ask = createAsk({ withinMs, explain });
  const redis = createRedis(target, { role: 'producer', name: 'sluice:doctor', logger: null });
  // The client's own rejection says only that the connection is closed; the reason arrives earlier, as an event.
  let complaint: Unanswered | null = null;
  redis.on(isCluster(redis) ? 'node error' : 'error', (error: Error) => {
    complaint ??= { known: false, ...explain(error) };
  });
  const connected = await ask(() => redis.connect());
  const heard = complaint as Unanswered | null;
  const connection = { redis, ask, close: () => redis.disconnect() };
  // Even if it is ready: after refusing a database number, the server leaves the connection on another database. In a cluster, a
  // node that is away does not keep anybody from the others.
  if (heard !== null && !(isCluster(redis) && connected.known)) return { ...connection, state: heard };
  if (connected.known) return { ...connection, state: { known: true, value: 'ready' } };
  // A server that is loading answers INFO and little else, and the client waits until it is ready.
  const isLoading =
    connected.code === timeoutCode && redis.status === 'connect' && (await looksLoading(redis, explain));
  return { ...connection, state: isLoading ? { known: true, value: 'loading' } : connected };
}

async function looksLoading(redis: Redis, explain: (thrown: unknown) => Omit<Unanswered, 'known'>): Promise<boolean> {
  const info = await createAsk({ withinMs: secondLookMs, explain })(() => redis.info());
  return info.known && parseRedisInfo(info.value).isLoading;
}

/** Reads the state of each server that takes writes: one, or the primaries of a cluster. */
export async function readAllRedisFacts({ redis, ask }: RedisConnection): Promise<RedisFacts[]> {
  return Promise.all(primariesOf(redis).map((server) => readRedisFacts(server, ask)));
}

/** Reads the server's state. What the user's ACL forbids stays unanswered. */
async function readRedisFacts(redis: ReturnType<typeof primariesOf>[number], ask: Ask): Promise<RedisFacts> {
  // The clock first: anything sent before it only blurs the reading.
  const [clock, server, savePoints, clientNames] = await Promise.all([
    ask(() => readClock(redis)),
    // Through `call`: the client's own method would hide that the command is forbidden.
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
  // A list of names and values in RESP2, a map in RESP3.
  const pairs = Array.isArray(answer) ? answer : Object.entries(answer as object).flat();
  if (pairs[0] !== 'save') throw new Error('the server does not report when it makes snapshots');
  return String(pairs[1] ?? '');
}

async function readClock(redis: Pick<Redis, 'time'>): Promise<ClockReading> {
  const askedAtMs = Date.now();
  const [seconds, microseconds] = await redis.time();
  return { askedAtMs, answeredAtMs: Date.now(), serverMs: Number(seconds) * 1_000 + Number(microseconds) / 1_000 };
}

/** CLIENT LIST has one line for each connection, with fields `name=value`. Names contain no spaces. */
export function clientNamesOf(list: string): string[] {
  return list.split('\n').flatMap((line) => / name=(\S+)/.exec(line)?.[1] ?? []);
}

function toUnanswered(thrown: unknown, hide: (text: string) => string): Omit<Unanswered, 'known'> {
  const error = toError(thrown);
  const { code } = classifyRedisError(error);
  const why = hide(error.message).replaceAll(/\s+/g, ' ').slice(0, 200);
  return { code: code === 'CONNECTION' ? codeOfConnection(error) : code, why };
}

/** The client's own message when it finds no server, told by its first words. */
function codeOfConnection({ message }: Error): string {
  if (message.startsWith('All sentinels are unreachable'))
    return /\b(WRONGPASS|NOAUTH|NOPERM)\b/.test(message) ? 'SENTINELAUTH' : 'NOSENTINEL';
  return message.startsWith('None of startup nodes is available') ? 'NONODE' : 'CONNECTION';
}
