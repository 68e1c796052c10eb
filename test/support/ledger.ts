import type { Client } from 'pg';
import { recordSeparator } from '../../shared/contracts/canonical-text.ts';
import type { PlaceRange, RecordRun } from '../../shared/contracts/chunk.ts';

/** Of a life that tests write chunks of. */
export const life = { producer: 'web-1', epoch: 1_772_600_000_000, life: '9f2c4e01ab' };

/** 2026-03-04T05:06Z, in minutes since 1970. */
export const minute = 29_542_386;

/** A chunk of version 4 as the SDK writes it. */
export function ledgerChunk(
  texts: readonly string[],
  header: { seq?: number; before?: number; of?: unknown; from?: number; erased?: readonly PlaceRange[] } = {},
): string {
  const { seq = 1, before = 0, of = [['r-1', minute, texts.length]] satisfies RecordRun[], ...more } = header;
  const head = JSON.stringify({ v: 4, ...life, seq, before, of, ...more });
  return `${head.slice(0, -1)},"records":[${texts.join(recordSeparator)}]}`;
}

/** What the ledger says of each chunk, in the order of their numbers: bits are places of the whole chunk. */
export async function accountsIn(client: Client): Promise<Record<string, unknown>[]> {
  const { rows } = await client.query(
    `select seq::int, total, stored, seen, dead, stored_places as "storedPlaces", seen_places as "seenPlaces",
      dead_places as "deadPlaces", parts, runs, problem, settled_at is not null as "isSettled"
    from ledger_chunk order by producer, seq`,
  );
  return rows;
}

/** The numbers of each chunk alone. */
export async function countsIn(client: Client): Promise<Record<string, unknown>[]> {
  return (await accountsIn(client)).map(({ seq, total, stored, seen, dead }) => ({ seq, total, stored, seen, dead }));
}
