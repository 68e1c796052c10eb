import fc from 'fast-check';
import { expect, test } from 'vitest';
import { accountFor, isAnotherStream } from '../../../../workers/health-events/hardened/account.ts';
import type { Position } from '../../../../workers/health-events/hardened/stream-entry.ts';

/** What happens to a stream: entries are added, the oldest removed, single ones deleted, some read. */
const acts = fc.array(
  fc.oneof(
    fc.record({ add: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ trimTo: fc.integer({ min: 0, max: 6 }) }),
    fc.record({ deleteAt: fc.nat({ max: 6 }) }),
    fc.record({ read: fc.integer({ min: 1, max: 4 }) }),
  ),
  { maxLength: 40 },
);

test('the gaps that are found by the end of the stream are exactly the entries that were removed unread', () => {
  fc.assert(
    fc.property(acts, (all) => {
      let entries: number[] = [];
      let added = 0;
      let position: Position = { lastId: '0-0', entriesRead: 0 };
      const read = new Set<number>();
      let lost = 0;
      const take = (limit: number): boolean => {
        const after = Number.parseInt(position.lastId, 10);
        const ids = entries.filter((id) => id > after).slice(0, limit);
        const facts = {
          length: entries.length,
          entriesAdded: added,
          lastId: `${added}-0`,
          firstId: entries[0] === undefined ? null : `${entries[0]}-0`,
        };
        const account = accountFor(
          position,
          facts,
          ids.map((id) => `${id}-0`),
          ids.length < limit,
        );
        expect(isAnotherStream(position, facts)).toBe(false);
        position = account.position;
        lost += account.gap?.entries ?? 0;
        for (const id of ids) read.add(id);
        return ids.length < limit;
      };
      for (const act of all) {
        if ('add' in act) entries.push(...Array.from({ length: act.add }, (_, index) => added + index + 1));
        if ('add' in act) added += act.add;
        if ('trimTo' in act) entries = entries.slice(Math.max(0, entries.length - act.trimTo));
        if ('deleteAt' in act) entries.splice(act.deleteAt, 1);
        if ('read' in act) take(act.read);
      }
      while (!take(3));
      expect(lost).toBe(added - read.size);
      expect(position.entriesRead).toBe(added);
    }),
  );
});

const facts = { length: 3, entriesAdded: 9, lastId: '9-0', firstId: '7-0' };

test('a server that does not count entries finds no gaps, and one that does now begins at the end of the stream', () => {
  const before = { lastId: '6-0', entriesRead: null };
  const uncounted = accountFor(before, { ...facts, entriesAdded: null }, ['7-0'], false);
  expect(uncounted).toEqual({ position: { lastId: '7-0', entriesRead: null }, gap: null, behind: null });
  expect(accountFor(before, facts, ['7-0'], false).position.entriesRead).toBeNull();
  expect(accountFor(before, facts, ['7-0', '8-0', '9-0'], true).position.entriesRead).toBe(9);
});

test('a stream that is not there says nothing', () => {
  const position = { lastId: '6-0', entriesRead: 6 };
  expect(accountFor(position, null, [], true)).toEqual({ position, gap: null, behind: 0 });
  expect(isAnotherStream(position, null)).toBe(false);
});

test('what is behind the reader', () => {
  expect(accountFor({ lastId: '0-0', entriesRead: 0 }, facts, ['7-0'], false)).toMatchObject({
    position: { lastId: '7-0', entriesRead: 7 },
    gap: { entries: 6, afterId: '0-0', beforeId: '7-0' },
    behind: 2,
  });
});

test.each([
  ['it ends before the place', { lastId: '10-0', entriesRead: 9 }, true],
  ['it has had fewer entries than were read', { lastId: '8-0', entriesRead: 10 }, true],
  ['it goes on', { lastId: '8-0', entriesRead: 8 }, false],
  ['nothing was read', { lastId: '0-0', entriesRead: 0 }, false],
])('another stream: %s', (_name, position, expected) => {
  expect(isAnotherStream(position, facts)).toBe(expected);
});
