import { toError } from '../../shared/platform/errors.ts';
import { createRedis, type Redis } from '../../shared/platform/redis/redis.ts';
import { classifyRedisError } from '../../shared/platform/redis/redis-errors.ts';
import { type Answer, type Ask, createAsk, timeoutCode, type Unanswered } from '../answer.ts';
import type { ClockReading } from '../check-clock.ts';
import { parseRedisInfo, type RedisServer } from './redis-info.ts';

/** What is known about a Redis server that answers. */
export interface RedisFacts {
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
  url: string,
  { withinMs, hide }: { withinMs: number; hide(text: string): string },
): Promise<RedisConnection> {
  const explain = (thrown: unknown) => toUnanswered(thrown, hide);
  const ask = createAsk({ withinMs, explain });
  const redis = createRedis(url, { role: 'producer', name: 'sluice:doctor', logger: null });
  // The client's own rejection says only that the connection is closed; the reason arrives earlier, as an event.
  let complaint: Unanswered | null = null;
  redis.on('error', (error: Error) => {
    complaint ??= { known: false, ...explain(error) };
  });
  const connected = await ask(() => redis.connect());
  const heard = complaint as Unanswered | null;
  const connection = { redis, ask, close: () => redis.disconnect() };
  // Even if it is ready: after refusing a database number, the server leaves the connection on another database.
  if (heard !== null) return { ...connection, state: heard };
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

/** Reads the server's state. What the user's ACL forbids stays unanswered. */
export async function readRedisFacts({ redis, ask }: RedisConnection): Promise<RedisFacts> {
  // The clock first: anything sent before it only blurs the reading.
  const [clock, server, savePoints, clientNames] = await Promise.all([
    ask(() => readClock(redis)),
    // Through `call`: the client's own method would hide that the command is forbidden.
    ask(async () => parseRedisInfo(String(await redis.call('INFO')))),
    ask(() => readSavePoints(redis)),
    ask(async () => clientNamesOf(String(await redis.client('LIST')))),
  ]);
  return { server, savePoints, clock, clientNames };
}

async function readSavePoints(redis: Redis): Promise<string> {
  const answer: unknown = await redis.config('GET', 'save');
  // A list of names and values in RESP2, a map in RESP3.
  const pairs = Array.isArray(answer) ? answer : Object.entries(answer as object).flat();
  if (pairs[0] !== 'save') throw new Error('the server does not report when it makes snapshots');
  return String(pairs[1] ?? '');
}

async function readClock(redis: Redis): Promise<ClockReading> {
  const askedAtMs = Date.now();
  const [seconds, microseconds] = await redis.time();
  return { askedAtMs, answeredAtMs: Date.now(), serverMs: Number(seconds) * 1_000 + Number(microseconds) / 1_000 };
}

/** CLIENT LIST has one line for each connection, with fields `name=value`. Names contain no spaces. */
export function clientNamesOf(list: string): string[] {
  return list.split('\n').flatMap((line) => / name=(\S+)/.exec(line)?.[1] ?? []);
}

function toUnanswered(thrown: unknown, hide: (text: string) => string): Omit<Unanswered, 'known'> {
  const why = hide(toError(thrown).message).replaceAll(/\s+/g, ' ').slice(0, 200);
  return { code: classifyRedisError(thrown).code, why };
}
