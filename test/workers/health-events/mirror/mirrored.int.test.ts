import { expect, test } from 'vitest';
import { offsetKey } from '../../../../shared/contracts/offset-key.ts';
import { runtimeStatuses } from '../../../../shared/contracts/runtime-status.ts';
import { createMirrorConsumer, type MirrorDeps } from '../../../../workers/health-events/mirror/consumer.ts';
import { anEvent, type WireEvent } from '../../../support/health.ts';
import { losses, observations } from '../../../support/health-story.ts';
import { aMirror, type Mirror } from '../../../support/mirror.ts';

/** The numbers in the names are those of section 6 of the specification. */

test('mirror: 1. a consumer is refused over the first thing that is missing or wrong, in the order of the original', async () => {
  const { deps } = await aMirror();
  const rightings: [name: string, error: typeof TypeError | typeof RangeError, right: Partial<MirrorDeps>][] = [
    ['reader', TypeError, { reader: deps.reader }],
    ['stream', RangeError, { stream: deps.stream }],
    ['blockMs', RangeError, { blockMs: deps.blockMs }],
    ['offsets', TypeError, { offsets: deps.offsets }],
    ['records', TypeError, { records: deps.records }],
    ['lobby', TypeError, { lobby: deps.lobby }],
    ['onConsumed', TypeError, { onConsumed: deps.onConsumed }],
    ['onPublished', TypeError, { onPublished: deps.onPublished }],
  ];
  for (const wrong of [null, undefined]) {
    // Everything is wrong at first, then one thing after the other is put right.
    let given = Object.fromEntries(rightings.map(([name]) => [name, wrong])) as unknown as MirrorDeps;
    for (const [name, error, right] of rightings) {
      const create = () => createMirrorConsumer(given);
      expect(create).toThrow(error);
      expect(create).toThrow(new RegExp(`^${name} `));
      given = { ...given, ...right };
    }
    expect(() => createMirrorConsumer(given)).not.toThrow();
  }
});

test('mirror: 1. a stream of spaces is refused, and so is a block that is no time', async () => {
  const { deps } = await aMirror();
  for (const stream of ['', ' ', '\t\n', '\u0085']) {
    expect(() => createMirrorConsumer({ ...deps, stream })).toThrow(new RangeError('stream must not be blank'));
  }
  for (const blockMs of [0, -1, Number.NaN]) {
    expect(() => createMirrorConsumer({ ...deps, blockMs })).toThrow(/^blockMs must be above 0, not /);
  }
});

test.each([
  [undefined, 'health_events'],
  ['', 'health_events'],
  [' \t\u0085', 'health_events'],
  [' other\n', 'other'],
  ['\ufeffother', '\ufeffother'],
])('mirror: 2. label %j saves the offset under %j', async (label, saved) => {
  const { add, deps, keys, redis, start } = await aMirror();
  const id = await add();
  const abort = new AbortController();
  const { run } = start({ label, offsets: abortAfterSave(deps, abort) });
  await run(abort.signal);
  expect(await redis.get(offsetKey(keys.service, saved))).toBe(id);
});

function abortAfterSave({ offsets }: MirrorDeps, abort: AbortController): MirrorDeps['offsets'] {
  return {
    load: offsets.load,
    async save(label, id) {
      await offsets.save(label, id);
      // Not before the consumer has heard of it: aborted amid an entry, it fails.
      setImmediate(() => abort.abort());
    },
  };
}

test('mirror: 2. without a clock and a logger the time is that of the machine', async () => {
  const { insert, lobby, start } = await aMirror();
  await insert();
  const earliest = Date.now();
  await start({ now: undefined, logger: undefined }).take();
  const [snapshot] = await lobby();
  const at = Number(snapshot?.['occurred_at_ms']);
  expect(at >= earliest && at <= Date.now()).toBe(true);
});

/** Hands over entries, none of which may reach a store. */
async function expectPassedOver(mirror: Mirror, events: WireEvent[], logged: Record<string, unknown>): Promise<void> {
  await mirror.insert();
  const { take } = mirror.start();
  for (const [at, event] of events.entries()) {
    expect(await take(event)).toBe(true);
    expect(mirror.seen).toEqual({ calls: [], saved: [], consumed: at + 1, published: [] });
    expect(mirror.log[at]).toMatchObject({ level: 40, stream_entry_id: '1-0', ...logged });
  }
  expect(mirror.log).toHaveLength(events.length);
}

test.each([
  [3, 'game_id'],
  [4, 'event_type'],
  [5, 'occurred_at_ms'],
])('mirror: %i. an entry without a %s is passed over', async (_, field) => {
  const blanks = [undefined, '', ' ', '\t\r\n', '\u0085\u00a0\u3000'];
  await expectPassedOver(
    await aMirror(),
    blanks.map((blank) => ({ [field]: blank })),
    { err: `${field} is missing` },
  );
});

test('mirror: 6. an entry whose time is no whole number above 0 of 64 bits is passed over', async () => {
  const times = ['abc', '1.5', '1e3', '1_000', '0x10', ' 1', '1 ', '9223372036854775808', '0', '-0', '+0', '-1', '+'];
  await expectPassedOver(
    await aMirror(),
    times.map((time) => ({ occurred_at_ms: time })),
    { err: expect.stringMatching(/^occurred_at_ms /) },
  );
});

test('mirror: 7. an entry with the bare minimum, with more than that, or with a time that no date has, is taken', async () => {
  const { insert, lobby, seen, start } = await aMirror();
  await insert();
  const events: WireEvent[] = [
    { details: undefined, container_id: undefined },
    { details: 'no JSON', container_id: '', more: 'of it' },
    { occurred_at_ms: '9223372036854775807' },
    { occurred_at_ms: '+0000000000000000000000000000001' },
  ];
  for (const event of events) expect(await start().take(event)).toBe(true);
  expect(seen).toMatchObject({ consumed: 4, published: new Array(4).fill('runtime_snapshot_update') });
  expect(await lobby()).toHaveLength(4);
});

test('mirror: 7. of a field that is there twice the last counts', async () => {
  const { insert, records, start } = await aMirror();
  await insert();
  await start().handle({ id: '1-0', fields: ['event_type', 'nonsense', ...anEvent({ event_type: 'probe_failed' })] });
  expect((await records())['game-1']?.engine_health).toBe('probe_failed');
});

test('mirror: 8. an entry of an unknown type is passed over, also when only case or spaces are wrong', async () => {
  const types = ['container_paused', 'Container_Exited', ' container_exited', 'container_exited ', 'constructor'];
  const mirror = await aMirror();
  await expectPassedOver(
    mirror,
    types.map((type) => ({ event_type: type })),
    { game_id: 'game-1', msg: 'health event is of an unknown type' },
  );
  for (const type of types) expect(JSON.stringify(mirror.log)).not.toContain(type);
});

test.each(observations.map(([type, summary], at) => [at + 9, type, summary] as const))(
  'mirror: %i. %s makes the health %s, whatever the status, and leaves the status',
  async (_, type, summary) => {
    const { insert, records, seen, start } = await aMirror();
    for (const status of runtimeStatuses) await insert({ game_id: status, status });
    const { take } = start();
    for (const status of runtimeStatuses) await take({ game_id: status, event_type: type });
    const rows = await records();
    for (const status of runtimeStatuses) expect(rows[status]).toMatchObject({ status, engine_health: summary });
    expect(seen.calls).not.toContain('updateStatus');
    expect(seen.calls.filter((call) => call === 'updateEngineHealth')).toHaveLength(runtimeStatuses.length);
  },
);

test.each(losses.map(([type, summary], at) => [at + 12, type, summary] as const))(
  'mirror: %i. %s of a running game makes it unreachable and its health %s in one statement, and is published once',
  async (_, type, summary) => {
    const { insert, lobby, log, nowMs, records, seen, start } = await aMirror();
    await insert();
    await start().take({ event_type: type });
    expect((await records())['game-1']).toMatchObject({
      status: 'engine_unreachable',
      engine_health: summary,
      updated_at: new Date(nowMs()),
      started_at: null,
    });
    expect(seen).toMatchObject({ calls: ['get', 'updateStatus', 'get'], consumed: 1 });
    expect(await lobby()).toMatchObject([{ runtime_status: 'engine_unreachable', engine_health_summary: summary }]);
    expect(log).toMatchObject([
      {
        level: 30,
        worker: 'gamemaster.healtheventsconsumer',
        stream_entry_id: '1-0',
        game_id: 'game-1',
        from_status: 'running',
        to_status: 'engine_unreachable',
        engine_health: summary,
      },
    ]);
  },
);

test('mirror: 15. probe_recovered of an unreachable game makes it running and healthy in one statement, and is published once', async () => {
  const { insert, lobby, records, seen, start } = await aMirror();
  const startedAt = new Date('2026-02-01T00:00:00Z');
  await insert({ status: 'engine_unreachable', engine_health: 'oom', started_at: startedAt });
  await start().take({ event_type: 'probe_recovered' });
  expect((await records())['game-1']).toMatchObject({
    status: 'running',
    engine_health: 'healthy',
    started_at: startedAt,
  });
  expect(seen.calls).toEqual(['get', 'updateStatus', 'get']);
  expect(await lobby()).toMatchObject([{ runtime_status: 'running', engine_health_summary: 'healthy' }]);
});

const notRunning = runtimeStatuses.filter((status) => status !== 'running');

test.each(losses)(
  'mirror: 16. %s of a game in any status but running makes its health %s alone',
  async (type, summary) => {
    const { insert, records, log, seen, start } = await aMirror();
    for (const status of notRunning) await insert({ game_id: status, status });
    const { take } = start();
    for (const status of notRunning) await take({ game_id: status, event_type: type });
    const rows = await records();
    for (const status of notRunning) expect(rows[status]).toMatchObject({ status, engine_health: summary });
    expect(seen.calls).toEqual(notRunning.flatMap(() => ['get', 'updateStatus', 'updateEngineHealth', 'get']));
    expect(log).toMatchObject(
      notRunning.map((status) => ({ level: 20, game_id: status, current_status: status, expected_from: 'running' })),
    );
  },
);

test('mirror: 17. probe_recovered of a game in any status but unreachable makes its health healthy alone', async () => {
  const { insert, records, start } = await aMirror();
  const reachable = runtimeStatuses.filter((status) => status !== 'engine_unreachable');
  for (const status of reachable) await insert({ game_id: status, status, engine_health: 'probe_failed' });
  const { take } = start();
  for (const status of reachable) await take({ game_id: status, event_type: 'probe_recovered' });
  const rows = await records();
  for (const status of reachable) expect(rows[status]).toMatchObject({ status, engine_health: 'healthy' });
});

test('mirror: 18. a transition that no game may make is taken as a conflict: the health changes alone', async () => {
  const { deps, insert, log, records, seen, start } = await aMirror();
  await insert();
  // The real store is asked for one that the table of transitions does not have.
  const asksWrongly: MirrorDeps['records'] = {
    get: deps.records.get,
    updateEngineHealth: deps.records.updateEngineHealth,
    updateStatus: (update) => deps.records.updateStatus({ ...update, to: 'starting' }),
  };
  await start({ records: asksWrongly }).take({ event_type: 'container_oom' });
  expect((await records())['game-1']).toMatchObject({ status: 'running', engine_health: 'oom' });
  expect(seen.calls).toEqual(['get', 'updateStatus', 'updateEngineHealth', 'get']);
  expect(log.map(({ level }) => level)).toEqual([20]);
});
