import type { Redis } from 'ioredis';
import { inject } from 'vitest';
import { createLogger } from '../../shared/platform/logging/logger.ts';
import { createMirrorConsumer, type MirrorDeps } from '../../workers/health-events/mirror/consumer.ts';
import { createLobbyPublisher } from '../../workers/health-events/mirror/lobby-publisher.ts';
import { createOffsetStore } from '../../workers/health-events/mirror/offset-store.ts';
import { createRecordStore } from '../../workers/health-events/mirror/record-store.ts';
import { connect, createTestDatabase } from './fixtures.ts';
import {
  addEvent,
  anEvent,
  connectRedis,
  createHealthKeys,
  insertRuntimeRecord,
  lobbyEntries,
  openDatabase,
  type RuntimeRow,
  runtimeRecords,
  type WireEvent,
} from './health.ts';

/** What a port that was told to fail throws. */
export const toldToFail = new Error('told to fail');

/** The port, but for one call of one method, by default the first, which throws `toldToFail` and does nothing. */
export function failingAt<Port extends object>(port: Port, method: keyof Port, nth = 1): Port {
  let calls = 0;
  return before(port, (name) => {
    if (name !== method) return;
    calls += 1;
    if (calls === nth) throw toldToFail;
  });
}

/** The port, with something done before each call of it. */
export function before<Port extends object>(
  port: Port,
  act: (method: string | symbol, parameters: readonly unknown[]) => Promise<void> | void,
): Port {
  return new Proxy(port, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (...parameters: unknown[]) => {
        await act(name, parameters);
        return Reflect.apply(method, target, parameters);
      };
    },
  });
}

/**
 * All that a consumer of the mirror mode works with, on the shared Redis and a database of the test's own, and what it has
 * done so far. Its clock goes on by a second whenever it is asked.
 */
export async function aMirror() {
  const keys = createHealthKeys();
  const databaseUrl = await createTestDatabase();
  const client = await connect(databaseUrl);
  const redis = connectRedis();
  const log: Record<string, unknown>[] = [];
  /** What a consumer reads with; the server knows it by the name of the service. */
  const openReader = (): Redis => connectRedis(inject('redisUrl'), keys.service);
  const seen = { calls: [] as string[], saved: [] as string[], consumed: 0, published: [] as string[] };
  let nowMs = Date.UTC(2026, 4, 3);

  const deps: MirrorDeps = {
    reader: openReader(),
    stream: keys.stream,
    blockMs: 50,
    offsets: before(createOffsetStore({ redis, service: keys.service }), (method, [, id]) => {
      if (method === 'save') seen.saved.push(String(id));
    }),
    records: before(createRecordStore(openDatabase(databaseUrl)), (method) => {
      seen.calls.push(String(method));
    }),
    lobby: createLobbyPublisher({ redis, stream: keys.lobbyStream }),
    onConsumed: () => {
      seen.consumed += 1;
    },
    onPublished: (eventType) => {
      seen.published.push(eventType);
    },
    now: () => {
      nowMs += 1_000;
      return nowMs;
    },
    logger: createLogger({ level: 'debug', name: 'test' }, { write: (line) => log.push(JSON.parse(line)) }),
  };
  return {
    keys,
    client,
    redis,
    deps,
    openReader,
    log,
    seen,
    /** what the clock said last */
    nowMs: () => nowMs,
    insert: (overrides: Partial<RuntimeRow> = {}) => insertRuntimeRecord(client, overrides),
    records: () => runtimeRecords(client),
    lobby: () => lobbyEntries(redis, keys.lobbyStream),
    add: (overrides: WireEvent = {}) => addEvent(redis, keys.stream, overrides),
    savedOffset: () => redis.get(keys.offsetKey),
    /** A consumer that remembers nothing yet, and a way to hand it an event. */
    start(overrides: Partial<MirrorDeps> = {}) {
      const consumer = createMirrorConsumer({ ...deps, ...overrides });
      return {
        ...consumer,
        take: (event: WireEvent = {}) => consumer.handle({ id: '1-0', fields: anEvent(event) }),
      };
    },
  };
}

export type Mirror = Awaited<ReturnType<typeof aMirror>>;
