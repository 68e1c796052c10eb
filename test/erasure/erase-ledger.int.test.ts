import { expect, test } from 'vitest';
import { createScope } from '../../erasure/erase-record.ts';
import { eraseFromChunk } from '../../erasure/erase-chunk.ts';
import { renameInLedger } from '../../erasure/erase-ledger.ts';
import { erasedRealm } from '../../shared/contracts/erasure-subject.ts';
import { recordText } from '../support/execution-fleet.ts';
import { connect, createTestDatabase } from '../support/fixtures.ts';
import { openDatabase } from '../support/health.ts';
import { life, ledgerChunk, minute } from '../support/ledger.ts';
import { executionLogQueue } from '../../workers/execution-log/queue.ts';
import { settleChunk } from '../support/settle-chunk.ts';

const gone = 'realm "gone"';
const before = new Date((minute + 5) * 60_000);
const scopeOf = (options: Partial<Parameters<typeof createScope>[1]> = {}) =>
  createScope({ kind: 'realm', id: gone }, { before, ownOnly: false, ...options });

test('erasure: a realm has no name in the ledger any more, and its counts stay', async () => {
  const url = await createTestDatabase();
  const client = await connect(url);
  const database = openDatabase(url);
  const texts = [1, 2, 3].map((number) => recordText(number, { recordedAt: new Date(minute * 60_000) }));
  const of = [
    [gone, minute, 1],
    ['stays', minute, 1],
    [gone, minute + 6, 1],
  ];
  await settleChunk(executionLogQueue, database, ledgerChunk(texts, { of }));
  // Not all of it was stored: it keeps its runs.
  await settleChunk(executionLogQueue, database, ledgerChunk(texts.slice(0, 2), { of, seq: 2, before: 3, from: 0 }));
  const insertMinute = (realm: string, at: number, recorded: number) =>
    client.query(
      `insert into ledger_minute (producer, epoch, life, queue, minute_at, realm, recorded, sampled_out, disabled, dropped, dropped_by,
        refused, chunked, sent, handed)
      values ('web-1', 1, 'a', 'execution-log', to_timestamp($1::float8 * 60), $2, $3, 0, 0, 0, '{}', 0, 0, 0, 0)`,
      [at, realm, recorded],
    );
  await insertMinute(gone, minute, 5);
  await insertMinute(`x:${gone}`, minute, 6);
  await insertMinute(gone, minute + 6, 7);
  await insertMinute('stays', minute, 8);
  // A late report has made it already.
  await insertMinute(erasedRealm(gone), minute, 4);

  const signal = new AbortController().signal;
  const rename = () => renameInLedger(database, { scope: scopeOf(), signal, onStuckRow: () => undefined });
  await rename();
  await rename();

  const renamed = [
    [erasedRealm(gone), minute, 1],
    ['stays', minute, 1],
    [gone, minute + 6, 1],
  ];
  const { rows } = await client.query('select parts, runs, total, stored, seen from ledger_chunk order by seq');
  expect(rows).toEqual([
    { parts: renamed, runs: null, total: 3, stored: 3, seen: 3 },
    { parts: renamed, runs: renamed, total: 3, stored: 0, seen: 2 },
  ]);
  const minutes = await client.query(
    'select realm, recorded::int, (extract(epoch from minute_at) / 60)::int as minute from ledger_minute order by minute_at, recorded',
  );
  expect(minutes.rows).toEqual([
    { realm: erasedRealm(gone), recorded: 5, minute },
    { realm: erasedRealm(`x:${gone}`), recorded: 6, minute },
    { realm: 'stays', recorded: 8, minute },
    { realm: gone, recorded: 7, minute: minute + 6 },
  ]);
});

test('erasure: a chunk in the queue says which of its records are gone, and names the realm no more', () => {
  const texts = [
    recordText(1, { realmId: gone, recordedAt: new Date(minute * 60_000) }),
    recordText(2, { realmId: 'stays' }),
    recordText(3, { realmId: 'stays' }),
  ];
  const of = [
    [gone, minute, 1],
    ['stays', minute, 2],
  ];
  const disposition = eraseFromChunk('execution-log', ledgerChunk(texts, { of }), scopeOf());
  expect(disposition).toMatchObject({ kind: 'changed', erased: 1 });
  const { data } = disposition as { data: string };
  expect(JSON.parse(data)).toMatchObject({
    ...{ v: 4, seq: 1, before: 0, erased: [[0, 1]] },
    of: [
      [erasedRealm(gone), minute, 1],
      ['stays', minute, 2],
    ],
  });
  expect(data).not.toContain('gone');
  // Once more: nothing is left to do.
  expect(eraseFromChunk('execution-log', data, scopeOf())).toEqual({ kind: 'kept' });
  // A part that has no record of the realm names it nevertheless.
  expect(eraseFromChunk('execution-log', ledgerChunk(texts.slice(1), { of, from: 1 }), scopeOf())).toMatchObject({
    ...{ kind: 'changed', erased: 0, blanked: 0 },
    data: expect.not.stringContaining('gone'),
  });
  const all = eraseFromChunk('execution-log', ledgerChunk(texts.slice(0, 1), { of: of.slice(0, 1) }), scopeOf());
  expect(all).toMatchObject({ kind: 'erased', erased: 1, account: { seq: 1, total: 1, places: [[0, 1]] } });
});

test('erasure: a report names the realm no more', () => {
  const minutes = [
    [minute, gone, { recorded: 1 }],
    [minute + 6, gone, { recorded: 2 }],
    [minute, null, { recorded: 3 }],
  ];
  const report = {
    ...{ number: 1, at: 1, kind: 'x', isFinal: false, lastSeq: 0, chunkedRecords: 0, waitingRecords: 0 },
    ...{ unacknowledged: [], spilledRecords: 0, takenOverRecords: 0, totals: {}, minutes },
  };
  const job = JSON.stringify({ v: 4, ...life, report });
  const disposition = eraseFromChunk('execution-log', job, scopeOf());
  expect(disposition).toMatchObject({ kind: 'changed', erased: 0, blanked: 0 });
  const { data } = disposition as { data: string };
  expect(JSON.parse(data).report.minutes).toEqual([[minute, erasedRealm(gone), { recorded: 1 }], ...minutes.slice(1)]);
  expect(eraseFromChunk('execution-log', job.replaceAll('gone', 'else'), scopeOf())).toEqual({ kind: 'kept' });
});
