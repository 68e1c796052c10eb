import { expect, test } from 'vitest';
import type { HealthEventType } from '../../../../shared/contracts/health-event.ts';
import { runtimeStatuses } from '../../../../shared/contracts/runtime-status.ts';
import { loadConfig } from '../../../../shared/platform/config/config.ts';
import { UsageError } from '../../../../shared/platform/errors.ts';
import { until } from '../../../support/fixtures.ts';
import { anEvent, type LobbyEntry, type WireEvent } from '../../../support/health.ts';
import { aHealthPlace } from '../../../support/health-place.ts';
import { losses, observations, recordsAfterStory, story, storyStatuses } from '../../../support/health-story.ts';

/**
 * The numbers in the names are those of section 6 of the specification; 19 to 41 are in hardened-failures.int.test.ts. Where
 * hardened differs from the original on purpose, a name says what mirror does.
 *
 * Without a counterpart: the original's refusals of things that are missing (nil client, stores, publisher, telemetry,
 * context, worker: 1 and 32), since types demand them and the role makes them itself; and its injected clock (2, 31).
 */

/** Of one game after the other, a second between each. */
const at = (n: number) => ({ occurred_at_ms: String(1_775_121_800_000 + n * 1_000) });

/** A worker of a place where nobody is waited for that has no record. */
async function aWorker() {
  const place = await aHealthPlace();
  const start = async () => {
    const worker = await place.start({ SLUICE_HEALTH_GRACE_MS: '0' });
    return {
      ...worker,
      results: (result: string) => worker.metric('sluice_health_events_total', { result }),
      /** Waits until so many entries have been dealt with, each counted once. */
      async consumed(entries: number): Promise<void> {
        await place.settled();
        await until(async () => (await worker.metric('sluice_health_events_consumed_total', {})) >= entries);
        expect(await worker.metric('sluice_health_events_consumed_total', {})).toBe(entries);
      },
    };
  };
  return { ...place, start };
}

const toPair = (entry: LobbyEntry) => [entry['runtime_status'], entry['engine_health_summary']];

test('hardened: 1. a blank stream, a block that is no time and a Redis without a URL are refused', async () => {
  const refused: [name: string, value: string][] = [
    ['SLUICE_HEALTH_STREAM', ' '],
    ['SLUICE_HEALTH_STREAM', '\u0085'],
    ['SLUICE_HEALTH_BLOCK_MS', '0'],
    ['SLUICE_HEALTH_BLOCK_MS', '-1'],
    ['SLUICE_HEALTH_BLOCK_MS', '0.5'],
  ];
  for (const [name, value] of refused) {
    expect(() => loadConfig({ [name]: value })).toThrow(UsageError);
    expect(() => loadConfig({ [name]: value })).toThrow(name);
  }
  const place = await aHealthPlace();
  const worker = await place.startProcess({ REDIS_URL: '' }).catch((error: Error) => error);
  expect(String(worker)).toContain('REDIS_URL');
});

test('hardened: 2. without a label it is health_events; a blank or padded one is refused (mirror: is made health_events, or trimmed)', () => {
  expect(loadConfig({}).health.label).toBe('health_events');
  expect(loadConfig({ SLUICE_HEALTH_LABEL: 'other' }).health.label).toBe('other');
  expect(loadConfig({ SLUICE_HEALTH_LABEL: '' }).health.label).toBe('health_events');
  for (const label of [' \t', ' other', 'other\n'])
    expect(() => loadConfig({ SLUICE_HEALTH_LABEL: label })).toThrow('SLUICE_HEALTH_LABEL');
});

/** Has entries read, none of which may do anything but become a dead letter. */
async function expectDeadLetters(events: WireEvent[], code: string, reason: RegExp): Promise<void> {
  const { insert, add, start, deadLetters, lobby, records, offset } = await aWorker();
  await insert({});
  const before = await records();
  const ids = await add(...events);
  const { consumed, results } = await start();
  await consumed(events.length);
  expect(await results(code)).toBe(events.length);
  expect({ records: await records(), lobby: await lobby() }).toEqual({ records: before, lobby: [] });
  expect((await offset())?.last_id).toBe(ids.at(-1));
  const dead = await deadLetters();
  expect(dead.map((deadLetter) => deadLetter['job_id']).sort()).toEqual(ids.sort());
  for (const deadLetter of dead) expect(deadLetter).toMatchObject({ code, reason: expect.stringMatching(reason) });
}

// 3. 4. 5.
test.each([
  [3, 'game_id'],
  [4, 'event_type'],
  [5, 'occurred_at_ms'],
])('hardened: %i. an entry without a %s is a dead letter (mirror: a line in the log)', async (_, field) => {
  const blanks = [undefined, '', ' ', '\t\r\n', '\u0085\u00a0\u3000'];
  await expectDeadLetters(
    blanks.map((blank) => ({ [field]: blank })),
    'malformed',
    new RegExp(`^${field} is missing$`),
  );
});

test('hardened: 6. an entry whose time is no whole number above 0 of 64 bits is a dead letter (mirror: a line in the log)', async () => {
  const times = ['abc', '1.5', '1e3', '1_000', '0x10', ' 1', '1 ', '9223372036854775808', '0', '-0', '+0', '-1', '+'];
  await expectDeadLetters(
    times.map((time) => ({ occurred_at_ms: time })),
    'malformed',
    /^occurred_at_ms is not |^occurred_at_ms does not fit /,
  );
});

test('hardened: 7. an entry with the bare minimum, with more than that, or with a time that no date has, is taken', async () => {
  const { insert, add, start, records, redis, keys, deadLetters } = await aWorker();
  const events: WireEvent[] = [
    { details: undefined, container_id: undefined },
    { details: 'no JSON', container_id: '', more: 'of it' },
    { occurred_at_ms: '9223372036854775807' },
    { occurred_at_ms: '+0000000000000000000000000000001' },
  ];
  await insert(...events.map((_, index) => ({ game_id: `a-${index}` })), {});
  await add(...events.map((event, index) => ({ game_id: `a-${index}`, ...event })));
  // Of a field that is there twice the last counts.
  await redis.xadd(keys.stream, '*', 'event_type', 'nonsense', ...anEvent({ event_type: 'probe_failed' }));
  await (await start()).consumed(5);
  expect(Object.values(await records()).map((row) => row.engine_health)).toEqual([
    ...events.map(() => 'healthy'),
    'probe_failed',
  ]);
  expect(await deadLetters()).toEqual([]);
});

test('hardened: 8. an entry of an unknown type is a dead letter, also when only case or spaces are wrong (mirror: a line in the log)', async () => {
  const types = ['container_paused', 'Container_Exited', ' container_exited', 'container_exited ', 'constructor'];
  await expectDeadLetters(
    types.map((type) => ({ event_type: type })),
    'unknown_type',
    /^event_type ".+" is not known$/,
  );
});

/** Has an event of a type happen to a game of each of these statuses. @returns the records after it, and what was told */
async function observeInEach(statuses: readonly (typeof runtimeStatuses)[number][], type: HealthEventType) {
  const { insert, add, start, records, lobby } = await aWorker();
  await insert(...statuses.map((status) => ({ game_id: status, status, engine_health: 'before' })));
  await add(...statuses.map((status) => ({ game_id: status, event_type: type })));
  const { consumed, results } = await start();
  await consumed(statuses.length);
  return { rows: await records(), told: (await lobby()).map(toPair), transitioned: await results('transitioned') };
}

// 9. 10. 11.
test.each(observations.map(([type, summary], index) => [index + 9, type, summary] as const))(
  'hardened: %i. %s makes the health %s, whatever the status, and leaves the status',
  async (_, type, summary) => {
    const { rows, told, transitioned } = await observeInEach(runtimeStatuses, type);
    for (const status of runtimeStatuses) expect(rows[status]).toMatchObject({ status, engine_health: summary });
    expect(told).toEqual(runtimeStatuses.map((status) => [status, summary]));
    expect(transitioned).toBe(0);
  },
);

// 12. 13. 14.
test.each(losses.map(([type, summary], index) => [index + 12, type, summary] as const))(
  'hardened: %i. %s of a running game makes it unreachable and its health %s in one write, and is told once',
  async (_, type, summary) => {
    const { insert, add, start, records, lobby, client } = await aWorker();
    await insert({});
    await client.query(`
      create table written (status text, health text);
      create function note() returns trigger language plpgsql security definer set search_path from current as $$
        begin insert into written values (new.status, new.engine_health); return new; end $$;
      create trigger note before update on runtime_record for each row execute function note();`);
    const before = (await records())['game-1'];
    await add({ event_type: type });
    const { consumed, results } = await start();
    await consumed(1);
    const after = { status: 'engine_unreachable', engine_health: summary };
    expect((await records())['game-1']).toEqual({ ...before, ...after, updated_at: expect.any(Date) });
    expect((await records())['game-1']?.updated_at).not.toEqual(before?.updated_at);
    expect((await client.query('select * from written')).rows).toEqual([{ status: after.status, health: summary }]);
    expect(await results('transitioned')).toBe(1);
    expect((await lobby()).map(toPair)).toEqual([['engine_unreachable', summary]]);
  },
);

test('hardened: 15. probe_recovered of an unreachable game makes it running and healthy, and is told once', async () => {
  const { rows, told, transitioned } = await observeInEach(['engine_unreachable'], 'probe_recovered');
  expect(rows['engine_unreachable']).toMatchObject({ status: 'running', engine_health: 'healthy', started_at: null });
  expect(told).toEqual([['running', 'healthy']]);
  expect(transitioned).toBe(1);
});

test.each(losses)(
  'hardened: 16. %s of a game in any status but running makes its health %s alone',
  async (type, summary) => {
    const statuses = runtimeStatuses.filter((status) => status !== 'running');
    const { rows, transitioned } = await observeInEach(statuses, type);
    for (const status of statuses) expect(rows[status]).toMatchObject({ status, engine_health: summary });
    expect(transitioned).toBe(0);
  },
);

test('hardened: 17. probe_recovered of a game in any status but unreachable makes its health healthy alone', async () => {
  const statuses = runtimeStatuses.filter((status) => status !== 'engine_unreachable');
  const { rows, transitioned } = await observeInEach(statuses, 'probe_recovered');
  for (const status of statuses) expect(rows[status]).toMatchObject({ status, engine_health: 'healthy' });
  expect(transitioned).toBe(0);
});

test('hardened: 18. a status that changes between the plan and the commit: planned again, the health changes alone', async () => {
  // No transition can be invalid: the rules have two, which are typed. What is left is the conflict.
  const { insert, add, start, records, lobby, client } = await aWorker();
  await insert({});
  await client.query('begin');
  await client.query('select from runtime_record for update');
  const { metric, consumed } = await start();
  await add({ event_type: 'container_oom' });
  await until(async () => (await metric('sluice_health_conflicts_total', {})) > 0);
  await client.query("update runtime_record set status = 'stopped'");
  await client.query('commit');
  await consumed(1);
  expect((await records())['game-1']).toMatchObject({ status: 'stopped', engine_health: 'oom' });
  expect((await lobby()).map(toPair)).toEqual([['stopped', 'oom']]);
});

test('hardened: 42. many events of many games: every record and every snapshot, in order', async () => {
  const { insert, add, start, records, lobby, deadLetters, offset } = await aWorker();
  await insert(...Object.entries(storyStatuses).map(([game_id, status]) => ({ game_id, status })));
  const ids = await add(...story.map(([game_id, event_type], index) => ({ game_id, event_type, ...at(index) })));
  await (await start()).consumed(story.length);
  expect((await lobby()).map((entry) => [entry['game_id'], ...toPair(entry)])).toEqual(
    story.flatMap(([game, , snapshot]) => (snapshot === null ? [] : [[game, ...snapshot]])),
  );
  expect(Object.values(await records()).map((row) => [row.game_id, row.status, row.engine_health])).toEqual(
    recordsAfterStory,
  );
  expect((await deadLetters()).map((deadLetter) => [deadLetter['job_id'], deadLetter['code']]).sort()).toEqual([
    [ids[6], 'unknown_game'],
    [ids[9], 'unknown_type'],
  ]);
  expect((await offset())?.last_id).toBe(ids.at(-1));
});
