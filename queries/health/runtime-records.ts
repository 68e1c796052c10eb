import type { RuntimeStatus } from '../../shared/contracts/runtime-status.ts';
import { omitUndefined } from '../../shared/platform/omit-undefined.ts';
import type { Database, Prisma } from '../../shared/platform/postgres/database.ts';

type Row = Prisma.RuntimeRecordGetPayload<{ include: { watermark: true } }>;

/** The state of a game's runtime, and how far its health events have been applied. */
export interface StoredRuntimeRecord extends Omit<Row, 'status' | 'watermark'> {
  status: RuntimeStatus;
  /** null before the first event */
  lastEvent: { id: string; occurredAt: Date } | null;
}

/** Lists records by the id of their game. @param options.after the last id of the previous page */
export async function listRuntimeRecords(
  database: Database,
  options: { status?: RuntimeStatus; engineHealth?: string; after: string | null; limit: number },
): Promise<{ records: StoredRuntimeRecord[]; after: string | null }> {
  const { status, engineHealth, after, limit } = options;
  const rows = await database.runtimeRecord.findMany({
    where: omitUndefined({ status, engineHealth, gameId: after === null ? undefined : { gt: after } }),
    orderBy: { gameId: 'asc' },
    take: limit + 1,
    include: { watermark: true },
  });
  const page = rows.slice(0, limit);
  return { records: page.map(toRecord), after: rows.length > limit ? (page.at(-1)?.gameId ?? null) : null };
}

/** The record of a game; null if there is none. */
export async function findRuntimeRecord(database: Database, gameId: string): Promise<StoredRuntimeRecord | null> {
  const row = await database.runtimeRecord.findUnique({ where: { gameId }, include: { watermark: true } });
  return row === null ? null : toRecord(row);
}

function toRecord({ watermark, ...row }: Row): StoredRuntimeRecord {
  return {
    ...row,
    status: row.status as RuntimeStatus,
    lastEvent:
      watermark === null ? null : { id: watermark.lastId, occurredAt: new Date(Number(watermark.occurredAtMs)) },
  };
}
