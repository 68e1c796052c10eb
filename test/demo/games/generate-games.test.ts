import { describe, expect, test } from 'vitest';
import type { BadEntry, GameEntry, GameEvent } from '../../../demo/games/game-events.ts';
import { faults } from '../../../demo/games/game-events.ts';
import { generateGames } from '../../../demo/games/generate-games.ts';
import { type HealthEventType, healthEventTypes, reactions } from '../../../shared/contracts/health-event.ts';

const seconds = 5;
const generate = (seed = 1, games = 200) => [...(generateGames({ games, seconds, seed }).events as GameEntry[])];
const isEvent = (entry: GameEntry): entry is GameEvent => entry.kind === 'event';
const isBad = (entry: GameEntry): entry is BadEntry => entry.kind === 'bad';

/** The events of each game, in the order of the stream. */
function byGame(entries: readonly GameEntry[]): GameEvent[][] {
  const games = Map.groupBy(entries.filter(isEvent), ({ game }) => game);
  return [...games.values()];
}

/** Events that are about a container that has been replaced. */
function lateOf(events: readonly GameEvent[]): { event: GameEvent; startedAtMs: number }[] {
  let current: GameEvent | null = null;
  return events.flatMap((event) => {
    if (event.type === 'container_started') current = event;
    return current === null || event.containerId === current.containerId ? [] : [{ event, startedAtMs: current.atMs }];
  });
}

describe('games', () => {
  test('games: the same seed gives the same entries, another seed others', () => {
    expect(generate()).toEqual(generate());
    expect(generate(2)).not.toEqual(generate());
    expect(generateGames({ games: 200, seconds, seed: 1 }).total).toBe(generate().length);
  });

  test('games: entries are in the order of their times, and all of them within the time of the traffic', () => {
    const times = generate().map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...times)).toBeLessThanOrEqual(seconds * 1_000);
  });

  test('games: each event leaves its game as the contract says, but for events of a replaced container', () => {
    for (const events of byGame(generate())) {
      const late = new Set(lateOf(events).map(({ event }) => event));
      let state = { status: 'running', health: '' };
      for (const event of events) {
        const { summary, transition } = reactions[event.type as HealthEventType];
        if (!late.has(event)) {
          const status = state.status === transition?.from ? transition.to : state.status;
          state = { status, health: summary };
        }
        expect(event.leaves, `${event.type} of game ${event.game}`).toEqual(state);
      }
    }
  });

  test('games: every type of event is there, most games are restarted, and some end without an engine', () => {
    const games = byGame(generate());
    expect(games).toHaveLength(200);
    expect(new Set(games.flat().map(({ type }) => type))).toEqual(new Set(healthEventTypes));
    const isLoss = ({ type }: GameEvent) => /exited|oom|disappeared/.test(type);
    const lost = games.filter((events) => events.some(isLoss));
    const restarted = lost.filter((events) => new Set(events.map(({ containerId }) => containerId)).size > 1);
    expect(restarted.length).toBeGreaterThan(lost.length * 0.6);
    const ends = games.map((events) => events.at(-1)?.leaves);
    expect(ends.filter((end) => end?.status === 'engine_unreachable').length).toBeGreaterThan(10);
    expect(ends.filter((end) => end?.status === 'running').length).toBeGreaterThan(100);
    // Lost, started again before any probe had failed, and never found recovered.
    expect(ends).toContainEqual({ status: 'engine_unreachable', health: 'healthy' });
  });

  test('games: word of a replaced container comes late, seen before the restart or found out after it', () => {
    const late = byGame(generate()).flatMap(lateOf);
    const seenBefore = late.filter(({ event, startedAtMs }) => event.seenAtMs < startedAtMs);
    expect(seenBefore.length).toBeGreaterThan(5);
    expect(late.length - seenBefore.length).toBeGreaterThan(5);
    for (const { event } of seenBefore) expect(event.seenAtMs).toBeLessThan(event.atMs);
  });

  test('games: every fault is among the bad entries, early in the run, however few games there are', () => {
    for (const games of [1, 200]) {
      const bad = generate(1, games).filter(isBad);
      expect(new Set(bad.map(({ fault }) => fault))).toEqual(new Set(faults));
      expect(new Set(bad.map(({ index }) => index)).size).toBe(bad.length);
      for (const { atMs } of bad) expect(atMs).toBeLessThanOrEqual((seconds * 1_000) / 4);
    }
  });
});
