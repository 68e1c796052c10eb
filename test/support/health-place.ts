import { inject } from 'vitest';
import { scrape } from '../../bench/scrape.ts';
import { placeKey } from '../../shared/contracts/lobby-event.ts';
import { createHealthEvents } from '../../workers/health-events/role.ts';
import { connect, createNamespace, createTestDatabase, until } from './fixtures.ts';
import { startSluice } from './fleet.ts';
import {
  addEvents,
  connectRedis,
  createHealthKeys,
  insertRuntimeRecord,
  lobbyEntries,
  lobbyView,
  type RuntimeRow,
  runtimeRecords,
  type WireEvent,
} from './health.ts';
import { redisEnvironment } from './redis-target.ts';
import { startRole } from './worker.ts';

/** Leases that a test can wait for. */
const shortLease = { SLUICE_HEALTH_LEASE_MS: '1000', SLUICE_HEALTH_BLOCK_MS: '500' };

/** A stream of health events with a database behind it, and ways to look at both. */
export async function aHealthPlace(servers: { databaseUrl?: string; redisUrl?: string } = {}) {
  const keys = createHealthKeys();
  const databaseUrl = servers.databaseUrl ?? (await createTestDatabase());
  const redisUrl = servers.redisUrl ?? inject('redisUrl');
  const client = await connect(databaseUrl);
  const redis = connectRedis(redisUrl);
  const namespace = createNamespace();
  const offset = async () => {
    const { rows } = await client.query<{
      last_id: string;
      entries_read: string | null;
      fencing_token: string;
      gap_entries: string;
      gap_after_id: string | null;
      gap_before_id: string | null;
    }>('select * from stream_offset');
    return rows[0];
  };
  /** Resolves when everything that is in the stream is taken in, and the lobby told. */
  const settled = async (): Promise<void> => {
    await until(async () => {
      const [last] = await redis.xrevrange(keys.stream, '+', '-', 'COUNT', 1);
      return (await offset())?.last_id === (last?.[0] ?? '0-0');
    });
    await until(async () => {
      const { rows } = await client.query<{ seq: string | null }>('select max(seq) as seq from lobby_outbox');
      const published = Number(await redis.hget(placeKey(keys.lobbyStream), 'seq'));
      return published >= Number(rows[0]?.seq ?? 0);
    });
  };
  return {
    keys,
    client,
    redis,
    databaseUrl,
    offset,
    settled,
    async insert(...games: Partial<RuntimeRow>[]): Promise<void> {
      for (const game of games) await insertRuntimeRecord(client, game);
    },
    add: (...events: WireEvent[]) => addEvents(redis, keys.stream, events),
    records: () => runtimeRecords(client),
    lobby: () => lobbyEntries(redis, keys.lobbyStream),
    lobbyView: () => lobbyView(redis, keys.lobbyStream),
    deadLetters: async () => {
      const { rows } = await client.query<Record<string, unknown>>('select * from dead_letter order by first_seen, id');
      return rows;
    },
    /** A consumer in the test's own process. */
    start: (environment: Record<string, string> = {}) =>
      startRole(createHealthEvents, databaseUrl, namespace, {
        REDIS_URL: redisUrl,
        ...shortLease,
        ...keys.environment,
        ...environment,
      }),
    /** A consumer in a process of its own. */
    async startProcess(environment: Record<string, string> = {}) {
      const worker = await startSluice(['worker', 'health-events'], {
        DATABASE_URL: databaseUrl,
        ...('REDIS_URL' in environment ? {} : redisEnvironment(redisUrl)),
        SLUICE_NAMESPACE: namespace,
        SLUICE_WORKER_PORT: '0',
        SLUICE_RETRY_MAX_MS: '200',
        ...shortLease,
        ...keys.environment,
        ...environment,
      });
      const log = () => worker.stdout.map((line) => JSON.parse(line) as { msg: string; [field: string]: unknown });
      const says = (message: string) => log().some(({ msg }) => msg === message);
      const ended = await Promise.race([
        until(() => says('waiting for the lease of the stream')).then(() => null),
        worker.ended,
      ]);
      if (ended !== null) throw new Error(`the worker ended (${ended}): ${worker.stderr.join('\n')}`);
      const url = String(log().find(({ msg }) => msg === 'worker is up')?.['url']);
      return {
        ...worker,
        log,
        says,
        metric: (name: string, labels: Record<string, string> = {}) => scrape(`${url}/metrics`, name, labels),
      };
    },
    /** Notes every offset that is stored from now on, whoever stores it. @returns them, oldest first */
    async watchOffsets(): Promise<() => Promise<string[]>> {
      await client.query(`
        create table offset_history (at bigserial primary key, last_id text not null);
        create function note_offset() returns trigger language plpgsql security definer set search_path from current as $$
          begin insert into offset_history (last_id) values (new.last_id); return new; end $$;
        create trigger note_offset before update on stream_offset for each row execute function note_offset();`);
      return async () => {
        const { rows } = await client.query<{ last_id: string }>('select last_id from offset_history order by at');
        return rows.map(({ last_id }) => last_id);
      };
    },
  };
}

export type HealthPlace = Awaited<ReturnType<typeof aHealthPlace>>;
