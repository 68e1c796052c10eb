import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type HealthEvent,
  healthEventTypes,
  isBlank,
  isUnreadable,
  reactions,
  readHealthEvent,
  trimBlanks,
} from '../../../shared/contracts/health-event.ts';
import { placeKey, toLobbyFields } from '../../../shared/contracts/lobby-event.ts';
import { offsetKey } from '../../../shared/contracts/offset-key.ts';
import { isAllowedTransition, runtimeStatuses } from '../../../shared/contracts/runtime-status.ts';
import { compareStreamIds, isStreamId, streamIdMs } from '../../../shared/contracts/stream-id.ts';

const minimum = ['game_id', 'game-1', 'event_type', 'container_oom', 'occurred_at_ms', '1775121800000'];

/** The minimum, with one of its values changed; undefined leaves the field out. */
function withField(name: string, value: string | undefined): string[] {
  const at = minimum.indexOf(name);
  return value === undefined ? minimum.toSpliced(at, 2) : minimum.with(at + 1, value);
}

const anOom: HealthEvent = {
  gameId: 'game-1',
  type: 'container_oom',
  occurredAtMs: 1_775_121_800_000,
  containerId: null,
};

test('health event: the minimum is enough, and what is more does not matter', () => {
  expect(readHealthEvent(minimum)).toEqual(anOom);
  expect(readHealthEvent(['details', '{', ...minimum, 'more', ''])).toEqual(anOom);
  expect(readHealthEvent([...minimum, 'container_id', '7c2b5d1a4f6e'])).toEqual({
    ...anOom,
    containerId: '7c2b5d1a4f6e',
  });
  expect(readHealthEvent([...minimum, 'container_id', ''])).toEqual(anOom);
});

test('health event: of a field that is there twice the last counts', () => {
  expect(readHealthEvent(['game_id', 'game-0', ...minimum])).toEqual(anOom);
  expect(readHealthEvent([...minimum, 'game_id', ''])).toMatchObject({ problem: 'malformed' });
});

test('health event: a field is told from a value of the same text', () => {
  expect(readHealthEvent(['x', 'game_id', ...withField('game_id', undefined)])).toEqual({
    problem: 'malformed',
    reason: 'game_id is missing',
  });
});

test.each(['game_id', 'event_type', 'occurred_at_ms'])('health event: without a %s it is malformed', (field) => {
  for (const blank of [undefined, '', ' ', '\t\n\v\f\r', '\u0085', '\u00a0\u2003\u3000']) {
    expect(readHealthEvent(withField(field, blank))).toEqual({ problem: 'malformed', reason: `${field} is missing` });
  }
});

test('health event: names are taken as they are, spaces and all', () => {
  for (const gameId of [' game-1 ', '\ufeff', '\u200b']) {
    expect(readHealthEvent(withField('game_id', gameId))).toEqual({ ...anOom, gameId });
  }
});

test.each(['abc', '1.5', '1e3', '1_000', '0x10', ' 1', '1 ', '1\n', '+', '-', '+-1', '١', '0', '-0', '+00', '-1'])(
  'health event: time %j is malformed',
  (time) => {
    expect(readHealthEvent(withField('occurred_at_ms', time))).toMatchObject({ problem: 'malformed' });
  },
);

test('health event: a time is read as long as it is above 0 and fits 64 bits, however it is written', () => {
  const written = fc.record({
    sign: fc.constantFrom('', '+', '-'),
    zeros: fc.nat({ max: 30 }),
    value: fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 65n }),
      fc.constantFrom(0n, 1n, 2n ** 63n - 1n, 2n ** 63n, 10n ** 18n, 10n ** 19n),
    ),
  });
  fc.assert(
    fc.property(written, ({ sign, zeros, value }) => {
      const event = readHealthEvent(withField('occurred_at_ms', `${sign}${'0'.repeat(zeros)}${value}`));
      const isRight = sign !== '-' && value > 0n && value < 2n ** 63n;
      expect(isUnreadable(event)).toBe(!isRight);
      if (!isUnreadable(event)) expect(event.occurredAtMs).toBe(Number(value));
    }),
  );
});

test.each([
  'container_paused',
  'Container_oom',
  ' container_oom',
  'container_oom ',
  'constructor',
  '__proto__',
  'x'.repeat(1_000),
])('health event: type %j is unknown', (type) => {
  const event = readHealthEvent(withField('event_type', type));
  expect(event).toMatchObject({ problem: 'unknown_type' });
  expect(JSON.stringify(event).length).toBeLessThan(200);
});

test('health event: what is malformed is so before its type is looked at', () => {
  expect(readHealthEvent(withField('occurred_at_ms', '0').with(3, 'unknown'))).toMatchObject({ problem: 'malformed' });
});

test('health event: whatever an entry holds, it is read or said to be unreadable', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('game_id', 'event_type', 'occurred_at_ms', 'container_oom', '1'),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text)), (fields) => {
      const event = readHealthEvent(fields.flat());
      if (isUnreadable(event)) expect(event.reason).not.toBe('');
      else expect(healthEventTypes).toContain(event.type);
    }),
  );
});

test('health event: white space is that of the original', () => {
  const white = [
    '\t',
    '\n',
    '\v',
    '\f',
    '\r',
    ' ',
    '\u0085',
    '\u00a0',
    '\u1680',
    '\u2000',
    '\u2001',
    '\u2002',
    '\u2003',
  ];
  white.push('\u2004', '\u2005', '\u2006', '\u2007', '\u2008', '\u2009', '\u200a', '\u2028', '\u2029', '\u202f');
  white.push('\u205f', '\u3000');
  const all = Array.from({ length: 0x1_0000 }, (_, code) => String.fromCharCode(code));
  expect(all.filter(isBlank)).toEqual(white);
  expect(all.filter((character) => trimBlanks(character) === '')).toEqual(white);
  expect(trimBlanks(`${white.join('')}a ${white.join('')} b${white.join('')}`)).toBe(`a ${white.join('')} b`);
});

test('reactions: each type of event does what the specification says', () => {
  const recovers = { from: 'engine_unreachable', to: 'running' };
  const isLost = { from: 'running', to: 'engine_unreachable' };
  expect(reactions).toEqual({
    container_started: { summary: 'healthy', transition: null },
    probe_recovered: { summary: 'healthy', transition: recovers },
    probe_failed: { summary: 'probe_failed', transition: null },
    inspect_unhealthy: { summary: 'inspect_unhealthy', transition: null },
    container_exited: { summary: 'exited', transition: isLost },
    container_oom: { summary: 'oom', transition: isLost },
    container_disappeared: { summary: 'disappeared', transition: isLost },
  });
  expect(Object.keys(reactions).sort()).toEqual([...healthEventTypes].sort());
});

test('runtime status: twelve transitions are allowed, and no other', () => {
  const allowed = runtimeStatuses.flatMap((from) =>
    runtimeStatuses.filter((to) => isAllowedTransition(from, to)).map((to) => `${from} -> ${to}`),
  );
  expect(allowed.sort()).toEqual(
    [
      'starting -> running',
      'running -> generation_in_progress',
      'generation_in_progress -> running',
      'generation_in_progress -> generation_failed',
      'generation_in_progress -> finished',
      'generation_failed -> generation_in_progress',
      'running -> engine_unreachable',
      'engine_unreachable -> running',
      'running -> stopped',
      'generation_in_progress -> stopped',
      'generation_failed -> stopped',
      'engine_unreachable -> stopped',
    ].sort(),
  );
});

test('runtime status: every transition of a reaction is allowed', () => {
  const made = Object.values(reactions).flatMap(({ transition }) => (transition === null ? [] : [transition]));
  expect(made).toHaveLength(4);
  for (const { from, to } of made) expect(isAllowedTransition(from, to)).toBe(true);
});

test.each(['0-0', '1-2', '1775121800000-0', '18446744073709551615-18446744073709551615', '007-01'])(
  'stream id: %s is one',
  (id) => {
    expect(isStreamId(id)).toBe(true);
  },
);

test.each([
  '',
  ' ',
  'abc',
  '5',
  '5-',
  '-5',
  '5-*',
  '-1-0',
  '$',
  '+',
  '-',
  '1-2-3',
  ' 1-2',
  '1-2\n',
  '1.0-2',
  '18446744073709551616-0',
  '0-18446744073709551616',
  `${'0'.repeat(20)}1-0`,
])('stream id: %j is none', (id) => {
  expect(isStreamId(id)).toBe(false);
});

/** Few and many digits, the ends of every range that is handled in its own way, and leading zeros. */
const part = fc
  .tuple(
    fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.bigInt({ min: 0n, max: 20n }),
      fc.constantFrom(10n ** 15n - 1n, 10n ** 15n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n),
    ),
    fc.nat({ max: 3 }),
  )
  .map(([value, zeros]) => ({ value, text: `${'0'.repeat(zeros)}${value}`.slice(-20) }));
const anId = fc.tuple(part, part).map(([ms, sequence]) => ({
  id: `${ms.text}-${sequence.text}`,
  place: ms.value * 2n ** 64n + sequence.value,
}));

test('stream id: ids compare as the 128-bit numbers that they are', () => {
  fc.assert(
    fc.property(anId, anId, fc.boolean(), (a, b, same) => {
      const other = same ? a : b;
      expect(isStreamId(a.id)).toBe(true);
      const order = a.place === other.place ? 0 : a.place < other.place ? -1 : 1;
      expect(Math.sign(compareStreamIds(a.id, other.id))).toBe(order);
    }),
    { numRuns: 1_000 },
  );
});

test('stream id: its milliseconds are read from it', () => {
  expect(streamIdMs('1775121800000-17')).toBe(1_775_121_800_000);
  expect(streamIdMs('0-1')).toBe(0);
});

test('offset key: it is the key of the original', () => {
  expect(offsetKey('gamemaster', 'health_events')).toBe('gamemaster:stream_offsets:aGVhbHRoX2V2ZW50cw');
  // Of the alphabet that is safe in URLs, and in UTF-8.
  expect(offsetKey('s', 'ü?>')).toBe('s:stream_offsets:w7w_Pg');
});

test('lobby fields: a snapshot is written with the fields of the contract and no other, each a text', () => {
  expect(
    toLobbyFields({
      gameId: 'game-1',
      currentTurn: 12,
      runtimeStatus: 'engine_unreachable',
      engineHealthSummary: '',
      occurredAtMs: 1_775_121_800_000,
    }),
  ).toEqual([
    ...['event_type', 'runtime_snapshot_update'],
    ...['game_id', 'game-1'],
    ...['current_turn', '12'],
    ...['runtime_status', 'engine_unreachable'],
    ...['engine_health_summary', ''],
    ...['player_turn_stats', '[]'],
    ...['occurred_at_ms', '1775121800000'],
  ]);
});

test.each([
  ['gm:lobby_events', '{gm:lobby_events}:sluice'],
  ['{gm}:lobby', '{gm}:sluice'],
  ['a{}b', '{a{}b}:sluice'],
  ['a{}b{c}', '{a{}b{c}}:sluice'],
  ['a{{b}c', '{{b}:sluice'],
])('the place of %s is in its slot', (stream, key) => {
  expect(placeKey(stream)).toBe(key);
});
