import { describe, expect, test } from 'vitest';
import {
  abandoned,
  creatorCount,
  generateRequests,
  type RequestEvent,
  toRequests,
} from '../../../demo/requests/request-events.ts';

const count = 5_000;
const generate = (seed = 1) => [...generateRequests({ count, seed, perSecond: 250 })];
const shareOf = (events: readonly RequestEvent[], isOne: (event: RequestEvent) => boolean) =>
  events.filter(isOne).length / events.length;

describe('request events', () => {
  test('request events: the same seed gives the same requests, another seed others', () => {
    expect(generate()).toEqual(generate());
    expect(generate(2)).not.toEqual(generate());
  });

  test('request events: arrivals never go back and keep the asked rate', () => {
    const times = generate().map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect((count / (times.at(-1) ?? 0)) * 1_000).toBeCloseTo(250, -1.5);
  });

  test('request events: every kind and every way to end is among them, at about its share', () => {
    const events = generate();
    expect(shareOf(events, ({ kind }) => kind === 'stream')).toBeCloseTo(0.4, 1);
    expect(shareOf(events, ({ kind }) => kind === 'background')).toBeCloseTo(0.1, 1);
    expect(shareOf(events, ({ statusCode }) => statusCode === 200)).toBeCloseTo(0.91, 1);
    expect(new Set(events.map(({ creator }) => creator)).size).toBe(creatorCount);
    for (const isOne of [
      ({ statusCode }: RequestEvent) => statusCode >= 400 && statusCode < abandoned,
      ({ statusCode }: RequestEvent) => statusCode >= 500,
      ({ statusCode }: RequestEvent) => statusCode === abandoned,
      ({ isBrokenOff }: RequestEvent) => isBrokenOff,
      ({ isRepeated }: RequestEvent) => isRepeated,
    ]) {
      expect(shareOf(events, isOne)).toBeGreaterThan(0.003);
      expect(shareOf(events, isOne)).toBeLessThan(0.06);
    }
  });

  test('request events: only streams that went well break off, and nobody goes away from the background', () => {
    const events = generate();
    const brokenOff = events.filter(({ isBrokenOff }) => isBrokenOff);
    expect(brokenOff.every(({ kind, statusCode }) => kind === 'stream' && statusCode === 200)).toBe(true);
    const background = events.filter(({ kind }) => kind === 'background');
    expect(background.some(({ statusCode }) => statusCode === abandoned)).toBe(false);
  });

  test('request events: those of a trace keep its times and its sizes', async () => {
    const rows = [
      { atMs: 0, contextTokens: 4_808, generatedTokens: 10 },
      { atMs: 52.5, contextTokens: 0, generatedTokens: 0 },
    ];
    const events: RequestEvent[] = [];
    for await (const event of toRequests(rows, 1)) events.push(event);
    expect(events).toMatchObject(rows);
  });
});
