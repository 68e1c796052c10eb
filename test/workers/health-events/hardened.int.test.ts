import { describe, expect, test } from 'vitest';
import { createHealthEvents } from '../../../workers/health-events/role.ts';
import { connect, createNamespace, createTestDatabase, until } from '../../support/fixtures.ts';
import {
  addEvent,
  addEvents,
  connectRedis,
  createHealthKeys,
  insertRuntimeRecord,
  lobbyEntries,
  lobbyView,
  runtimeRecords,
} from '../../support/health.ts';
import { startRole } from '../../support/worker.ts';

/** A place to read health events in, and to look into. */
async function aPlace() {
  const keys = createHealthKeys();
  const databaseUrl = await createTestDatabase();
  const client = await connect(databaseUrl);
  const redis = connectRedis();
  const namespace = createNamespace();
  return {
    keys,
    client,
    redis,
    databaseUrl,
    start: (environment: Record<string, string> = {}) =>
      startRole(createHealthEvents, databaseUrl, namespace, { ...keys.environment, ...environment }),
    /** the id that is stored */
    storedId: async () => {
      const { rows } = await client.query<{ last_id: string }>('select last_id from stream_offset');
      return rows[0]?.last_id;
    },
    letters: async () => {
      const { rows } = await client.query('select * from dead_letter order by job_id');
      return rows;
    },
  };
}

describe('the hardened consumer', () => {
  test('takes events into their records and tells the lobby', async () => {
    const place = await aPlace();
    await insertRuntimeRecord(place.client);
    await insertRuntimeRecord(place.client, { game_id: 'game-2' });
    const { stream, lobbyStream } = place.keys;
    await addEvents(place.redis, stream, [{}, { game_id: 'game-2', event_type: 'container_exited' }]);
    const worker = await place.start();
    const last = await addEvent(place.redis, stream, { event_type: 'probe_failed', occurred_at_ms: '1775121800001' });
    await until(async () => (await place.storedId()) === last);
    await until(async () => (await lobbyEntries(place.redis, lobbyStream)).length === 3);
    expect(await runtimeRecords(place.client)).toMatchObject({
      'game-1': { status: 'running', engine_health: 'probe_failed' },
      'game-2': { status: 'engine_unreachable', engine_health: 'exited' },
    });
    expect(await lobbyView(place.redis, lobbyStream)).toMatchObject({
      'game-1': {
        event_type: 'runtime_snapshot_update',
        runtime_status: 'running',
        engine_health_summary: 'probe_failed',
      },
      'game-2': { runtime_status: 'engine_unreachable', engine_health_summary: 'exited', current_turn: '7' },
    });
    expect(await worker.metric('sluice_health_events_consumed_total', {})).toBe(3);
    expect(await worker.stop()).toBe(true);
  });
});
