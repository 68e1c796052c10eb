import type { RuntimeStatus } from '../../../shared/contracts/runtime-status.ts';
import { type Database, type JsonTransaction, queryWithJson } from '../../../shared/platform/postgres/database.ts';
import type { Lease } from '../lease.ts';
import type { OutboxRow } from '../outbox/outbox.ts';
import type { Gap } from './account.ts';
import type { Watermark } from './apply-event.ts';
import { commitStatement } from './commit-statement.ts';
import { loadStatement } from './load-statement.ts';
import type { EventPlan, PlannedGame, StoredGame } from './plan-events.ts';
import type { Position } from './stream-entry.ts';

/** The games of these ids that there are, by id. */
export async function loadGames(database: Database, gameIds: readonly string[]): Promise<Map<string, StoredGame>> {
  if (gameIds.length === 0) return new Map();
  const rows = await queryWithJson(database, loadStatement(gameIds.length), JSON.stringify(gameIds));
  return new Map(rows.map((row) => [row[0] as string, toGame(row)]));
}

function toGame([, version, status, health, turn, lastId, ...rest]: readonly unknown[]): StoredGame {
  const [occurredAtMs, upAtMs, downAtMs, containerId, containerSinceMs, previousContainerId] = rest;
  const [snapshotStatus, snapshotHealth] = rest.slice(6);
  const watermark = {
    lastId,
    occurredAtMs,
    upAtMs,
    downAtMs,
    containerId,
    containerSinceMs,
    previousContainerId,
  } as Watermark;
  return {
    version: version as string,
    record: { status: status as RuntimeStatus, health: health as string, turn: turn as number },
    watermark:
      lastId === null
        ? null
        : {
            ...watermark,
            snapshotStatus: snapshotStatus as string | null,
            snapshotHealth: snapshotHealth as string | null,
          },
  };
}

/** What a commit came to. */
export type CommitOutcome =
  /** with the snapshots as they are in the outbox now; none when there is more to it than the plan says */
  | { kind: 'committed'; outboxRows: OutboxRow[] }
  /** nothing was stored: these games changed since they were loaded, are gone, or somebody holds them */
  | { kind: 'conflict'; gameIds: string[] }
  /** nothing was stored: somebody else reads the stream now */
  | { kind: 'fenced' };

/** Stores all of a plan and the position after it, or nothing. Repeating it by mistake ends in a conflict. */
export async function commitEvents(
  door: Database | JsonTransaction,
  lease: Lease,
  { plan, position, gap }: { plan: EventPlan; position: Position; gap: Gap | null },
): Promise<CommitOutcome> {
  const input = {
    label: lease.label,
    token: lease.token,
    ...position,
    gapEntries: gap?.entries ?? 0,
    gapAfterId: gap?.afterId ?? null,
    gapBeforeId: gap?.beforeId ?? null,
    games: plan.games.map(toRow),
    snapshots: plan.snapshots,
  };
  const [row] = await queryWithJson(door, commitStatement(plan.games.length), JSON.stringify(input));
  const [isHeld, conflicts, firstSeq, lastSeq] = row as [boolean, string, number | null, number | null];
  if (!isHeld) return { kind: 'fenced' };
  const gameIds = JSON.parse(conflicts) as string[];
  if (gameIds.length > 0) return { kind: 'conflict', gameIds };
  return { kind: 'committed', outboxRows: toOutboxRows(plan, firstSeq, lastSeq) };
}

/** The snapshots were numbered in order; others may have taken a number in between, and then it is not known whose is which. */
function toOutboxRows({ snapshots }: EventPlan, firstSeq: number | null, lastSeq: number | null): OutboxRow[] {
  if (firstSeq === null || lastSeq !== firstSeq + snapshots.length - 1) return [];
  return snapshots.map((snapshot, index) => ({ seq: firstSeq + index, snapshot }));
}

function toRow({ gameId, version, changes, record: { status, health }, watermark }: PlannedGame) {
  return { gameId, version, changes, status, health, ...watermark };
}
