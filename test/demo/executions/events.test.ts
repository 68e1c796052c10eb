import { describe, expect, test } from 'vitest';
import { type GenerateEventsOptions, generateEvents } from '../../../demo/executions/events.ts';
import { demoStrategies } from '../../../demo/executions/strategies.ts';

const generate = (options: Partial<GenerateEventsOptions> = {}) => [
  ...generateEvents({ count: 5000, seed: 1, strategies: demoStrategies, ...options }),
];

function countBy<T>(items: readonly T[], key: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

describe('events', () => {
  test('events: the same seed gives the same events, another seed others', () => {
    expect(generate({ count: 50 })).toEqual(generate({ count: 50 }));
    expect(generate({ count: 50 })).not.toEqual(generate({ count: 50, seed: 2 }));
  });

  test('events: a longer run starts with the events of a shorter one', () => {
    expect(generate({ count: 30 }).slice(0, 10)).toEqual(generate({ count: 10 }));
  });

  test('events: an endless run is made one event at a time', () => {
    const events = generateEvents({ count: Infinity, seed: 1, strategies: demoStrategies });
    expect(events.next().done).toBe(false);
    expect(events.return().done).toBe(true);
  });

  test('events: arrivals never go back and keep the asked rate', () => {
    const events = generate({ perSecond: 250 });
    const times = events.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect((times.length / (times.at(-1) ?? 0)) * 1000).toBeCloseTo(250, -1.5);
  });

  test('events: gaps spread as a Poisson process has them, about 63 of 100 below the mean', () => {
    const times = [0, ...generate({ perSecond: 100 }).map(({ atMs }) => atMs)];
    const short = times.filter((time, index) => index > 0 && time - (times[index - 1] ?? 0) < 10);
    expect(short.length / 5000).toBeCloseTo(1 - 1 / Math.E, 1);
  });

  test('events: every strategy is drawn, the first most, the last least', () => {
    const counts = countBy(generate(), ({ strategyId }) => strategyId);
    const inOrder = demoStrategies.map(({ id }) => counts.get(id) ?? 0);
    expect(Math.max(...inOrder)).toBe(inOrder[0]);
    expect(Math.min(...inOrder)).toBeGreaterThan(200);
    expect(inOrder[0]).toBeGreaterThan(3 * (inOrder.at(-1) ?? 0));
  });

  test('events: a tenth of the users makes more than a third of the events', () => {
    const counts = [...countBy(generate(), ({ externalUserId }) => externalUserId).values()].sort((a, b) => b - a);
    const busiest = counts.slice(0, 500).reduce((sum, count) => sum + count, 0);
    expect(busiest / 5000).toBeGreaterThan(1 / 3);
  });

  test('events: a task belongs to its game', () => {
    for (const { externalGameId, externalTaskId } of generate({ count: 200 })) {
      expect(externalTaskId.startsWith(`${externalGameId}-task-`)).toBe(true);
    }
  });

  test('events: data is plain JSON', () => {
    for (const { data } of generate({ count: 200 })) expect(JSON.parse(JSON.stringify(data))).toEqual(data);
  });

  test('events: a count of 0 gives none', () => {
    expect(generate({ count: 0 })).toEqual([]);
  });

  test.each([
    [{ count: -1 }, 'count must be a whole number >= 0, got -1'],
    [{ count: 1.5 }, 'count must be a whole number >= 0, got 1.5'],
    [{ perSecond: 0 }, 'perSecond must be above 0, got 0'],
    [{ strategies: [] }, 'strategies must not be empty'],
  ])('events: %o is refused before the first event', (wrong, message) => {
    const options = { count: 1, seed: 1, strategies: demoStrategies, ...wrong };
    expect(() => generateEvents(options)).toThrow(new RangeError(message));
  });
});
