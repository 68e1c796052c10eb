import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import { healthStream } from '../../shared/contracts/health-event.ts';
import { lobbyStream } from '../../shared/contracts/lobby-event.ts';
import { offsetKey } from '../../shared/contracts/offset-key.ts';
import type { RuntimeStatus } from '../../shared/contracts/runtime-status.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { createDatabase, type Database } from '../../shared/platform/postgres/database.ts';
import { createRedis } from '../../shared/platform/redis/redis.ts';
import { type AtEnd, removeKeys } from './fixtures.ts';
import { targetOf } from './redis-target.ts';

/**
 * A connection to look into Redis with, to write events, and to read them; of the shared server, unless a URL is given.
 *
 * @param name by which the server knows it, without spaces
 */
export function connectRedis(url: string = inject('redisUrl'), name = 'test'): Redis {
  const redis = openRedis(url, name);
  redis.on('error', () => undefined);
  onTestFinished(() => redis.disconnect());
  return redis;
}

function openRedis(url: string, name: string): Redis {
  const target = targetOf(url);
  return target.topology === 'server'
    ? new Redis(url, { connectionName: name, maxRetriesPerRequest: null, retryStrategy: () => 50 })
    : // The same commands; what a test asks of one server it does not ask of a cluster.
      (createRedis(target, { role: 'worker', name, logger: null }) as Redis);
}

/** Keys of health events that are the test's own, on the shared server; they are removed when it has finished. */
export function createHealthKeys() {
  const name = `t-${randomBytes(6).toString('hex')}`;
  const keys = {
    stream: `${healthStream}:${name}`,
    lobbyStream: `${lobbyStream}:${name}`,
    service: name,
    label: 'health_events',
    offsetKey: offsetKey(name, 'health_events'),
  };
  onTestFinished(async () => {
    await removeKeys(`*${name}*`);
  });
  return {
    ...keys,
    /** the same, as a role is told them */
    environment: {
      SLUICE_HEALTH_STREAM: keys.stream,
      SLUICE_HEALTH_LOBBY_STREAM: keys.lobbyStream,
      SLUICE_HEALTH_SERVICE: keys.service,
      SLUICE_HEALTH_LABEL: keys.label,
    },
  };
}

/** An event as its producer writes it: a field that is undefined is left out, others may be added. */
export type WireEvent = Record<string, string | undefined>;

/** The fields and values of an event that says that `game-1` is healthy, unless told otherwise. */
export function anEvent(overrides: WireEvent = {}): string[] {
  const event: WireEvent = {
    game_id: 'game-1',
    container_id: '7c2b5d1a4f6e',
    event_type: 'container_started',
    occurred_at_ms: '1775121800000',
    details: '{}',
    ...overrides,
  };
  return Object.entries(event).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
}

/**
 * Adds an event to a stream.
 *
 * @param id of the entry; by default the server chooses it
 * @returns the entry's id
 */
export async function addEvent(redis: Redis, stream: string, overrides: WireEvent = {}, id = '*'): Promise<string> {
  const added = await redis.xadd(stream, id, ...anEvent(overrides));
  if (added === null) throw new Error('Redis added no entry');
  return added;
}

/** Adds events in turn, in one round trip. @returns their ids */
export async function addEvents(redis: Redis, stream: string, events: readonly WireEvent[]): Promise<string[]> {
  const pipeline = redis.pipeline();
  for (const event of events) pipeline.xadd(stream, '*', ...anEvent(event));
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, id]) => {
    if (error) throw error;
    return String(id);
  });
}

/** A snapshot as the lobby gets it. */
export type LobbyEntry = Record<string, string>;

/** What is in a lobby stream, oldest first, each entry as an object of its fields. */
export async function lobbyEntries(redis: Redis, stream: string): Promise<LobbyEntry[]> {
  const entries = await redis.xrange(stream, '-', '+');
  return entries.map(([, fields]) => toObject(fields));
}

/** What the lobby holds of each game once it has read its whole stream: the last snapshot of each. */
export async function lobbyView(redis: Redis, stream: string): Promise<Record<string, LobbyEntry>> {
  const view: Record<string, LobbyEntry> = {};
  for (const entry of await lobbyEntries(redis, stream)) view[entry['game_id'] ?? ''] = entry;
  return view;
}

function toObject(fields: readonly string[]): LobbyEntry {
  const entry: LobbyEntry = {};
  for (let at = 0; at + 1 < fields.length; at += 2) entry[fields[at] ?? ''] = fields[at + 1] ?? '';
  return entry;
}

/** A record as the table has it. */
export interface RuntimeRow {
  game_id: string;
  status: RuntimeStatus;
  engine_health: string;
  current_turn: number;
  created_at: Date;
  updated_at: Date;
  started_at: Date | null;
  stopped_at: Date | null;
  finished_at: Date | null;
}

/** Inserts the record of `game-1`, which is running in turn 7 with nothing observed yet, unless told otherwise. */
export async function insertRuntimeRecord(client: pg.Client, overrides: Partial<RuntimeRow> = {}): Promise<void> {
  const before = new Date('2026-01-01T00:00:00Z');
  const row = {
    game_id: 'game-1',
    status: 'running',
    engine_health: '',
    current_turn: 7,
    created_at: before,
    updated_at: before,
    ...overrides,
  };
  const columns = Object.keys(row);
  await client.query(
    `insert into runtime_record (${columns.join(', ')}) values (${columns.map((_, at) => `$${at + 1}`).join(', ')})`,
    Object.values(row),
  );
}

/** All records by game. */
export async function runtimeRecords(client: pg.Client): Promise<Record<string, RuntimeRow>> {
  const { rows } = await client.query<RuntimeRow>(
    `select game_id, status, engine_health, current_turn, created_at, updated_at, started_at, stopped_at, finished_at
     from runtime_record order by game_id`,
  );
  return Object.fromEntries(rows.map((row) => [row.game_id, row]));
}

/** A database as the worker has it, closed with the test. */
export function openDatabase(databaseUrl: string, atEnd: AtEnd = onTestFinished): Database {
  const database = createDatabase(loadConfig({ DATABASE_URL: databaseUrl }).database, 'sluice test health');
  atEnd(() => database.$disconnect());
  return database;
}
