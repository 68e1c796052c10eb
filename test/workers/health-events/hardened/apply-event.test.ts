import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type HealthEvent, healthEventTypes, reactions } from '../../../../shared/contracts/health-event.ts';
import { runtimeStatuses } from '../../../../shared/contracts/runtime-status.ts';
import { applyEvent, type EventResult, type Game } from '../../../../workers/health-events/hardened/apply-event.ts';

const t0 = 1_775_121_800_000;
const running: Game = { record: { status: 'running', health: '', turn: 7 }, watermark: null };

interface Step extends Partial<HealthEvent> {
  type: HealthEvent['type'];
  /** ms after t0 at which it happened; the entry is added when the step is made */
  atMs?: number;
  id?: string;
}

/** Takes steps in, entry after entry, a second between each. */
function play(steps: readonly Step[], game: Game = running) {
  const results: EventResult[] = [];
  const told: string[] = [];
  let after = game;
  for (const [index, { atMs = index * 1_000, id = `${t0 + index * 1_000}-0`, ...event }] of steps.entries()) {
    const applied = applyEvent(after, { gameId: 'g', occurredAtMs: t0 + atMs, containerId: null, ...event }, id);
    after = applied.game;
    results.push(applied.result);
    const { status, health } = after.record;
    if (applied.publishes) told.push(`${status}/${health}`);
  }
  return { ...after.record, results, told, game: after };
}

describe('each kind of event, in each status', () => {
  test.each(healthEventTypes.flatMap((type) => runtimeStatuses.map((status) => [type, status] as const)))(
    '%s while %s',
    (type, status) => {
      const { summary, transition } = reactions[type];
      const game: Game = { ...running, record: { ...running.record, status } };
      const transitions = transition?.from === status;
      const expected = transitions ? transition.to : status;
      expect(play([{ type }], game)).toMatchObject({
        status: expected,
        health: summary,
        turn: 7,
        results: [transitions ? 'transitioned' : 'observed'],
        told: [`${expected}/${summary}`],
      });
    },
  );
});

describe('what the lobby is told', () => {
  test('nothing, when nothing is new', () => {
    expect(play([{ type: 'container_started' }, { type: 'probe_recovered' }]).told).toEqual(['running/healthy']);
  });

  test('every transition, also to what it was told last', () => {
    const lost = play([{ type: 'container_exited' }]);
    // Somebody else has set the game running, and told so.
    const game = { ...lost.game, record: { ...lost.game.record, status: 'running' as const } };
    const again = play([{ type: 'container_exited', id: `${t0 + 9_000}-0`, atMs: 9_000 }], game);
    expect(again.told).toEqual(['engine_unreachable/exited']);
  });

  test('a status that somebody else has set, with the next event', () => {
    const seen = play([{ type: 'inspect_unhealthy' }]);
    const game = { ...seen.game, record: { ...seen.game.record, status: 'generation_in_progress' as const } };
    const again = play([{ type: 'inspect_unhealthy', id: `${t0 + 9_000}-0`, atMs: 9_000 }], game);
    expect(again.told).toEqual(['generation_in_progress/inspect_unhealthy']);
  });
});

describe('what comes late, or again', () => {
  test('the same entry changes nothing', () => {
    const once = play([{ type: 'container_exited' }, { type: 'probe_recovered' }]);
    const again = play([{ type: 'container_exited' }, { type: 'probe_recovered' }], once.game);
    expect(again).toMatchObject({ results: ['duplicate', 'duplicate'], told: [], game: once.game });
  });

  test('an exit from before the recovery: the game runs on', () => {
    const { status, health, results } = play([
      { type: 'probe_recovered', atMs: 500 },
      { type: 'container_exited', atMs: 400 },
    ]);
    expect({ status, health, results }).toEqual({
      status: 'running',
      health: 'healthy',
      results: ['observed', 'late'],
    });
  });

  test('an exit from before a failed probe, but after the start: the game is lost, its health that of the probe', () => {
    expect(
      play([
        { type: 'container_started', atMs: 100 },
        { type: 'probe_failed', atMs: 500 },
        { type: 'container_exited', atMs: 400 },
      ]),
    ).toMatchObject({ status: 'engine_unreachable', health: 'probe_failed' });
  });

  test('a recovery from before the exit: the game stays lost', () => {
    expect(
      play([
        { type: 'container_oom', atMs: 500 },
        { type: 'probe_recovered', atMs: 400 },
      ]),
    ).toMatchObject({ status: 'engine_unreachable', health: 'oom', results: ['transitioned', 'late'] });
  });

  test('at the same millisecond the order of the stream counts', () => {
    expect(
      play([
        { type: 'container_exited', atMs: 5 },
        { type: 'probe_recovered', atMs: 5 },
      ]),
    ).toMatchObject({ status: 'running', health: 'healthy' });
  });

  test('a producer whose clock is years ahead does not silence the others', () => {
    expect(
      play([
        { type: 'probe_failed', atMs: 1e12 },
        { type: 'probe_failed', atMs: 1_000 },
        { type: 'container_exited', atMs: 9_000, id: `${t0 + 9_000}-0` },
      ]),
    ).toMatchObject({ status: 'engine_unreachable', health: 'exited' });
  });
});

describe('containers', () => {
  const restarted: Step[] = [
    { type: 'container_started', containerId: 'a' },
    { type: 'container_exited', containerId: 'a' },
    { type: 'container_started', containerId: 'b' },
    { type: 'probe_recovered', containerId: 'b' },
  ];

  test('the end of an earlier one is stale', () => {
    expect(play([...restarted, { type: 'container_disappeared', containerId: 'a' }])).toMatchObject({
      status: 'running',
      health: 'healthy',
      results: ['observed', 'transitioned', 'observed', 'transitioned', 'stale'],
    });
  });

  test('the end of the one that was started last is not', () => {
    expect(play([...restarted, { type: 'container_exited', containerId: 'b' }])).toMatchObject({
      status: 'engine_unreachable',
      health: 'exited',
    });
  });

  test('the end of one that was never heard of is that of a later one, whose start comes late', () => {
    expect(
      play([
        { type: 'container_started', containerId: 'a', atMs: 100 },
        { type: 'container_exited', containerId: 'b', atMs: 300 },
        { type: 'container_started', containerId: 'b', atMs: 200 },
        { type: 'container_disappeared', containerId: 'a', atMs: 400 },
      ]),
    ).toMatchObject({
      status: 'engine_unreachable',
      health: 'exited',
      results: ['observed', 'transitioned', 'late', 'stale'],
    });
  });

  test('an end that names none, or a game without a known one, counts', () => {
    expect(play([...restarted, { type: 'container_exited' }]).status).toBe('engine_unreachable');
    expect(play([{ type: 'container_exited', containerId: 'a' }]).status).toBe('engine_unreachable');
  });

  test('a start that comes late does not make an earlier one the last', () => {
    const { results, status } = play([
      { type: 'container_started', containerId: 'b', atMs: 900 },
      { type: 'container_started', containerId: 'a', atMs: 100 },
      { type: 'container_exited', containerId: 'a', atMs: 950 },
    ]);
    expect({ results, status }).toEqual({ results: ['observed', 'late', 'stale'], status: 'running' });
  });
});

const steps = fc.array(
  fc.record({
    type: fc.constantFrom(...healthEventTypes),
    containerId: fc.constantFrom(null, 'a', 'b'),
    atMs: fc.integer({ min: 0, max: 8_000 }),
  }),
  { maxLength: 12 },
);

test('in whatever pieces and however often a stream is delivered again, it ends as when it is delivered once', () => {
  fc.assert(
    fc.property(steps, fc.array(fc.nat({ max: 12 }), { maxLength: 6 }), (all, rewinds) => {
      const numbered = all.map((step, index) => ({ ...step, id: `${t0 + index * 1_000}-0` }));
      const once = play(numbered);
      let game = running;
      const told: string[] = [];
      let from = 0;
      for (const rewind of [...rewinds, numbered.length]) {
        const part = play(numbered.slice(from, Math.max(from, rewind)), game);
        game = part.game;
        told.push(...part.told);
        from = Math.min(rewind, numbered.length, from);
      }
      const rest = play(numbered.slice(from), game);
      expect(rest.game).toEqual(once.game);
      expect([...told, ...rest.told]).toEqual(once.told);
    }),
  );
});

// Of one millisecond the order of the stream decides, which is just what is forgotten.
test('a stream that is begun anew and delivers all of it again, each event of a time of its own, ends as it did', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const numbered = all.map((step, index) => ({ ...step, atMs: index, id: `${t0 + index * 1_000}-0` }));
      const once = play(numbered);
      const { watermark } = once.game;
      const forgotten: Game = { ...once.game, watermark: watermark && { ...watermark, lastId: '0-0' } };
      const { status, health } = play(numbered, forgotten);
      expect({ status, health }).toEqual({ status: once.status, health: once.health });
    }),
  );
});
