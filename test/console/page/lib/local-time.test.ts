import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ToDayStart, ToInstants, ToOffset, ToReading } from '../../../../console/page/lib/local-time-shapes.d.ts';
import { inZone } from '../../../support/in-zone.ts';
import { pageModule } from '../../../support/page-module.ts';

const { toReading, toOffset, toInstants, toDayStart, toChosen } = await pageModule<{
  toReading: ToReading;
  toOffset: ToOffset;
  toInstants: ToInstants;
  toDayStart: ToDayStart;
  toChosen(field: { reading: string; offset: string | null; given: string | null }): string | null;
}>('lib/local-time.js');
const { time } = await pageModule<{ time(at: string): string }>('lib/format.js');

const iso = (instants: readonly number[]) => instants.map((ms) => new Date(ms).toISOString());

test.each([
  // [zone, a reading that clocks show twice, its instants, a reading that they skip]
  [
    'Europe/Berlin',
    '2026-10-25T02:30:00',
    ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z'],
    '2026-03-29T02:30',
  ],
  [
    'America/New_York',
    '2026-11-01T01:30:00',
    ['2026-11-01T05:30:00.000Z', '2026-11-01T06:30:00.000Z'],
    '2026-03-08T02:30',
  ],
  // Half an hour only.
  [
    'Australia/Lord_Howe',
    '2026-04-05T01:45:00',
    ['2026-04-04T14:45:00.000Z', '2026-04-04T15:15:00.000Z'],
    '2026-10-04T02:15',
  ],
])('local time: in %s, %s is each of its two instants, which read differently', (zone, reading, instants, skipped) => {
  inZone(zone, () => {
    expect(iso(toInstants(reading))).toEqual(instants);
    expect(iso(toInstants(skipped))).toEqual([]);
    const texts = instants.map((at) => time(at));
    expect(texts.map((text) => text.slice(0, 19).replace(' ', 'T'))).toEqual([reading, reading]);
    expect(new Set(texts).size).toBe(2);
    // A form that shows one of them gives that one back, whichever it is and however often it is submitted.
    for (const given of instants) {
      const field = { reading: toReading(Date.parse(given)), offset: toOffset(Date.parse(given)), given };
      expect(toChosen(field)).toBe(given);
    }
    expect(toChosen({ reading, offset: null, given: null })).toBe(instants[0]);
    expect(toChosen({ reading, offset: toOffset(Date.parse(instants[1] ?? '')), given: instants[0] ?? null })).toBe(
      instants[1],
    );
  });
});

test('local time: in every zone with odd clocks, an instant is among those of its own reading', () => {
  const zones = [
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'Africa/Casablanca',
    'UTC',
  ];
  for (const zone of zones) {
    inZone(zone, () =>
      fc.assert(
        fc.property(fc.integer({ min: 0, max: Date.UTC(2037, 0) / 60_000 }), (minute) => {
          const ms = minute * 60_000;
          const offset = toOffset(ms);
          expect(toInstants(toReading(ms))).toContain(ms);
          expect(new Date(`${toReading(ms)}${offset}`).getTime()).toBe(ms);
          expect(toChosen({ reading: toReading(ms), offset, given: null })).toBe(new Date(ms).toISOString());
        }),
        { numRuns: 300 },
      ),
    );
  }
});

test('local time: what a field cannot show of its instant, it keeps', () => {
  const given = '2026-10-25T00:30:00.123Z';
  inZone('Europe/Berlin', () => {
    expect(toChosen({ reading: '2026-10-25T02:30', offset: '+02:00', given })).toBe(given);
    expect(toChosen({ reading: '2026-10-25T02:31', offset: '+02:00', given })).toBe('2026-10-25T00:31:00.000Z');
    expect(toChosen({ reading: '', offset: null, given })).toBeNull();
  });
});

test.each(['', 'x', '2026-02-30T12:00', '2026-03-01', '2026-03-01T24:00', '2026-03-01T12:00Z', '12026-03-01T12:00'])(
  'local time: %j is no reading',
  (text) => expect(toInstants(text)).toEqual([]),
);

test('local time: a day begins at midnight, or where clocks are set forward over it', () => {
  const begins = (zone: string, day: string) => inZone(zone, () => iso([toDayStart(day) ?? Number.NaN]));
  expect(begins('Europe/Berlin', '2026-10-25')).toEqual(['2026-10-24T22:00:00.000Z']);
  expect(begins('Africa/Cairo', '2026-04-24')).toEqual(['2026-04-23T22:00:00.000Z']);
  expect(toDayStart('2026-02-30')).toBeNull();
  expect(toDayStart('today')).toBeNull();
});
