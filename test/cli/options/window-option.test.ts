import { expect, test } from 'vitest';
import { ageMs, readWindow } from '../../../cli/options/window-option.ts';
import { UsageError } from '../../../shared/platform/errors.ts';
import { inZone } from '../../support/in-zone.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const texts = (flags: { since?: string; until?: string }) => {
  const { since, until } = readWindow(flags, now);
  return [since?.toISOString() ?? null, until.toISOString()];
};

test.each([
  [{}, '2026-02-28T12:00:00.000Z', '2026-03-01T12:00:00.000Z'],
  [{ since: '90s' }, '2026-03-01T11:58:30.000Z', '2026-03-01T12:00:00.000Z'],
  [{ since: '30m' }, '2026-03-01T11:30:00.000Z', '2026-03-01T12:00:00.000Z'],
  [{ since: '2h', until: '1h' }, '2026-03-01T10:00:00.000Z', '2026-03-01T11:00:00.000Z'],
  [{ since: '1w', until: '1d' }, '2026-02-22T12:00:00.000Z', '2026-02-28T12:00:00.000Z'],
  [{ since: '2026-02-24', until: '2026-02-25' }, '2026-02-24T00:00:00.000Z', '2026-02-25T00:00:00.000Z'],
  [{ since: '2026-02-24T10:00+01:00' }, '2026-02-24T09:00:00.000Z', '2026-03-01T12:00:00.000Z'],
  [{ since: 'all', until: '1h' }, null, '2026-03-01T11:00:00.000Z'],
  [{ until: '1h' }, '2026-02-28T11:00:00.000Z', '2026-03-01T11:00:00.000Z'],
])('window: %o is from %s to %s', (flags, since, until) => {
  expect(texts(flags)).toEqual([since, until]);
});

test.each([
  '2 h',
  '2H',
  '-2h',
  'h',
  '1.5h',
  'yesterday',
  '',
  '2026-02-30T12:00',
  '2026-02-30',
  '01/03/2026',
  '999999999w',
  '2h\u001b[2J',
])('window: %j is refused, with the option and what is accepted', (since) => {
  const refused = () => readWindow({ since }, now);
  expect(refused).toThrow(UsageError);
  expect(refused).toThrow(/^--since must be an age such as 30m, 2h or 7d, or a time such as 2026-03-01T12:00:00Z/);
});

test('window: one in which nothing lies is refused', () => {
  expect(() => readWindow({ since: '1h', until: '1h' }, now)).toThrow(/must be before until/);
  expect(() => readWindow({ since: '1h', until: '2h' }, now)).toThrow(UsageError);
  expect(() => readWindow({ until: 'all' }, now)).toThrow(/^--until must be/);
});

test('window: a time without an offset is that of this machine, if its clocks show it once', () => {
  inZone('Europe/Berlin', () => {
    expect(texts({ since: '2026-02-24T10:00', until: '2026-02-25T10:00:00.5' })).toEqual([
      '2026-02-24T09:00:00.000Z',
      '2026-02-25T09:00:00.500Z',
    ]);
    expect(texts({ since: '2025-10-26', until: '2025-10-27' })).toEqual([
      '2025-10-25T22:00:00.000Z',
      '2025-10-26T23:00:00.000Z',
    ]);
    expect(texts({ since: '2025-10-26T02:30+02:00', until: '2025-10-26T02:30+01:00' })).toEqual([
      '2025-10-26T00:30:00.000Z',
      '2025-10-26T01:30:00.000Z',
    ]);
    expect(() => texts({ since: '2025-10-26T02:30' })).toThrow(
      /^--since: clocks in Europe\/Berlin show 2025-10-26T02:30 twice.*2025-10-26T02:30\+02:00 or 2025-10-26T02:30\+01:00$/,
    );
    expect(() => texts({ since: '2025-03-30T02:30' })).toThrow(UsageError);
    expect(() => texts({ since: '2025-03-30T02:30' })).toThrow(/skip 2025-03-30T02:30/);
  });
  inZone('Australia/Lord_Howe', () => {
    expect(() => texts({ since: '2025-04-06T01:45' })).toThrow(/01:45\+11:00 or 2025-04-06T01:45\+10:30$/);
  });
});

test('age: a number with its unit', () => {
  expect([ageMs('0s'), ageMs('5m'), ageMs('1d')]).toEqual([0, 300_000, 86_400_000]);
  expect(() => ageMs('5')).toThrow(/90s, 30m/);
});
