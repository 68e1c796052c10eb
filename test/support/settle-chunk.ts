import type { Client } from 'pg';
import { recordSeparator } from '../../shared/contracts/canonical-text.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { bisectEntries } from '../../workers/ingest/bisect.ts';
import { CopyRefusedError } from '../../workers/ingest/copy-writer.ts';
import { accountedRecords } from '../../workers/ingest/ledger-entries.ts';
import { type Batchers, processChunk } from '../../workers/ingest/process-chunk.ts';
import type { QueueDefinition } from '../../workers/ingest/queue-definition.ts';

/** A chunk in canonical form. */
export const chunkText = (texts: readonly string[]): string =>
  `{"v":1,"producer":"p-1","epoch":5,"life":"x","seq":6,"records":[${texts.join(recordSeparator)}]}`;

/** The definition without COPY: a parser reads every chunk. */
export const withoutCopy = (definition: QueueDefinition): QueueDefinition => ({
  ...definition,
  copy: { ...definition.copy, read: () => null },
});

/** What became of a chunk: the dead letters, and how often COPY stored it or was refused. */
export interface SettledChunk {
  outcome: unknown;
  copies: string[];
}

/** Settles one chunk as a worker does: by COPY if it can be, and else by the statement. */
export async function settleChunk(
  definition: QueueDefinition,
  database: Database,
  chunk: string,
): Promise<SettledChunk> {
  const copies: string[] = [];
  const unused = { drain: () => undefined, heldRecords: 0 };
  const batchers: Batchers = {
    copy: {
      ...unused,
      async add(rows) {
        const result = await definition.copy.store(database, [rows]).catch((error: { code: string }) => error.code);
        copies.push(typeof result === 'string' ? result : result === null ? 'vetoed' : JSON.stringify(result.outcomes));
        if (typeof result === 'string' || result === null) throw new CopyRefusedError('nothing was stored');
      },
    },
    json: {
      ...unused,
      async add(entry) {
        const [outcome] = await bisectEntries([entry], async ([one]) =>
          one === undefined
            ? []
            : (await definition.store(database, one.json, one.records, accountedRecords([one]))).unstored,
        );
        if (outcome) throw outcome;
      },
    },
  };
  const outcome = await processChunk(definition, { jobId: 'j', raw: chunk, nowMs: Date.now() }, batchers);
  return { outcome, copies };
}

/** The rows of a table as JSON, without what each of them got from the clock, in the order of their ids. */
export async function rowsOf(client: Client, table: string): Promise<unknown[]> {
  const { rows } = await client.query(
    `select to_jsonb(one) - '{stored_at,updated_at}'::text[] as row from ${table} as one order by one::text`,
  );
  return rows.map(({ row }) => row);
}
