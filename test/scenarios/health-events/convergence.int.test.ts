import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type HealthEventType, healthEventTypes } from '../../../shared/contracts/health-event.ts';
import type { Database } from '../../../shared/platform/postgres/database.ts';
import { openDatabase } from '../../support/health.ts';
import { createHealthConsumerOnce } from '../../support/health-once.ts';
import { aHealthPlace, type HealthPlace } from '../../support/health-place.ts';

const t0 = Date.UTC(2026, 4, 3);

/** What becomes of a consumer: it reads so many entries, and then … */
const lives = fc.array(
  fc.record({
    reads: fc.integer({ min: 1, max: 7 }),
    /** how many entries at a time */
    limit: fc.integer({ min: 1, max: 5 }),
    end: fc.constantFrom('publishes', 'dies before publishing', 'dies before its commit', 'is fenced off'),
    /** entries that the offset is set back by afterwards, as somebody might who is not sure */
    setBack: fc.constantFrom(0, 0, 0, 2, 99),
  }),
  { maxLength: 6 },
);

const stories = fc.array(
  fc.record({ game: fc.integer({ min: 1, max: 3 }), type: fc.constantFrom(...healthEventTypes) }),
  { minLength: 1, maxLength: 14 },
);

/** What the original makes of a story that is told once and in order. */
function fold(story: readonly { game: number; type: HealthEventType }[]) {
  const games = new Map<string, { status: string; health: string; told: string[] }>();
  for (const { game, type } of story) {
    const id = `game-${game}`;
    const seen = games.get(id) ?? { status: 'running', health: '', told: [] };
    const lost = ['container_exited', 'container_oom', 'container_disappeared'].includes(type);
    const before = `${seen.status}/${seen.health}`;
    if (lost && seen.status === 'running') seen.status = 'engine_unreachable';
    if (type === 'probe_recovered' && seen.status === 'engine_unreachable') seen.status = 'running';
    seen.health = lost
      ? type.slice('container_'.length)
      : type === 'probe_failed' || type === 'inspect_unhealthy'
        ? type
        : 'healthy';
    const after = `${seen.status}/${seen.health}`;
    if (after !== before || seen.told.length === 0) seen.told.push(after);
    games.set(id, seen);
  }
  return games;
}

async function tell(place: HealthPlace, story: readonly { game: number; type: HealthEventType }[]): Promise<void> {
  for (const [index, { game, type }] of story.entries())
    await place.redis.xadd(
      place.keys.stream,
      `${t0 + index}-0`,
      ...['game_id', `game-${game}`, 'event_type', type, 'occurred_at_ms', String(t0 + index)],
    );
}

async function clear(place: HealthPlace, database: Database): Promise<void> {
  await place.client.query('truncate runtime_record, health_event_watermark, stream_offset, lobby_outbox, dead_letter');
  await place.client.query("update stream_lease set expires_at = now() - interval '1 hour'");
  await place.redis.del(place.keys.stream, place.keys.lobbyStream);
  for (const game of [1, 2, 3])
    await database.runtimeRecord.create({ data: { gameId: `game-${game}`, status: 'running' } });
}

test('however its consumers die, a stream ends as when it is read once and in order, and the lobby hears the same', async () => {
  const place = await aHealthPlace();
  const database = openDatabase(place.databaseUrl);
  await fc.assert(
    fc.asyncProperty(stories, lives, async (story, consumers) => {
      await clear(place, database);
      await tell(place, story);
      const consumer = createHealthConsumerOnce(place, database);
      for (const life of consumers) {
        await consumer.live(life);
        if (life.setBack > 0) await consumer.setBack(life.setBack);
      }
      await consumer.live({ reads: 999, limit: 4, end: 'publishes' });

      const expected = fold(story);
      const records = await place.records();
      const heard = new Map<string, string[]>();
      for (const { game_id: game = '', runtime_status, engine_health_summary } of await place.lobby())
        heard.set(game, [...(heard.get(game) ?? []), `${runtime_status}/${engine_health_summary}`]);
      for (const [game, { status, health, told }] of expected) {
        expect(records[game]).toMatchObject({ status, engine_health: health });
        expect(heard.get(game)).toEqual(told);
      }
      expect((await place.offset())?.last_id).toBe(`${t0 + story.length - 1}-0`);
    }),
    { numRuns: 40 },
  );
}, 120_000);
