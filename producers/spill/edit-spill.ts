import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EditedSegments, editSegment, examineSegment, nothingEdited, type SegmentEditor } from './edit-segment.ts';
import { createOwnDirectory, type OwnDirectory, removeDirectory } from './own-directory.ts';
import {
  claim,
  createSessionFinder,
  listSegments,
  listSessions,
  type SegmentFile,
  type SessionDirectory,
  segmentName,
} from './session-directories.ts';
import { type SpillTiming, spillTiming } from './timing.ts';

/** The result of an edit. */
export interface EditedSpill extends EditedSegments {
  /** directories of live sessions that still contain something to be removed */
  liveSessions: number;
}

const lookAgainMs = 2_000;

/**
 * Removes from the segments of ended sessions what an editor names. It claims each of their directories first, as a replay
 * does, and then leaves it to the next session. It never changes the directory of a live session, which reads and writes
 * there; it waits until that directory is replayed or its session has ended.
 *
 * @param parent the directory of one queue
 * @param options.waitMs how long to wait for live sessions; 0 with dryRun
 */
export async function editSpill(
  parent: string,
  editor: SegmentEditor,
  {
    dryRun,
    waitMs,
    signal,
    timing = spillTiming,
  }: {
    dryRun: boolean;
    waitMs: number;
    signal: AbortSignal;
    timing?: SpillTiming;
  },
): Promise<EditedSpill> {
  const total = nothingEdited();
  const findSessions = createSessionFinder(timing);
  const seen = new Set<string>();
  const untilMs = performance.now() + waitMs;
  let own: OwnDirectory | null = null;
  let segments = 0;
  try {
    for (;;) {
      let liveSessions = 0;
      const ofLiving = nothingEdited();
      for (const session of await findSessions(parent, own?.path ?? null)) {
        if (signal.aborted || seen.has(session.path)) continue;
        const { hasEnded } = session;
        const found = await examine(session.path, editor);
        const isConcerned = found.erased + found.blanked + found.damagedBytes > 0;
        if (!hasEnded && isConcerned) liveSessions += 1;
        if (!hasEnded && !dryRun) {
          add(ofLiving, { ...nothingEdited(), newer: found.newer, newerChunks: found.newerChunks });
          continue;
        }
        if (dryRun || !isConcerned) {
          seen.add(session.path);
          add(total, found);
          continue;
        }
        own ??= await createOwnDirectory({ parent, name: ownName(), timing });
        const claimed = await claim(parent, session, own.name);
        // Another session was faster and replays it.
        if (claimed === null) continue;
        for (const segment of await listSegments(claimed)) {
          const change = await examineSegment(segment, editor);
          add(total, change);
          if (change.erased + change.blanked + change.damagedBytes === 0) continue;
          segments += 1;
          await editSegment(segment, join(own.path, segmentName(segments)), editor);
        }
        if ((await listSegments(claimed)).length === 0) await removeDirectory(claimed);
      }
      if (liveSessions === 0 || dryRun || signal.aborted || performance.now() >= untilMs) {
        add(total, ofLiving);
        return { ...total, liveSessions };
      }
      await sleep(lookAgainMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await leave(parent, own);
  }
}

function ownName(): string {
  return `erase-${Date.now()}.${randomBytes(4).toString('hex')}`;
}

/** What is claimed belongs to our directory: the next session takes both. */
async function leave(parent: string, own: OwnDirectory | null): Promise<void> {
  if (own === null) return;
  const holdsSome = (await listSessions(parent)).some(({ path, ownerPath }: SessionDirectory) => {
    return ownerPath === own.path && path !== own.path;
  });
  if (holdsSome) await own.release();
  else await own.remove();
}

async function examine(directory: string, editor: SegmentEditor): Promise<EditedSegments> {
  const total = nothingEdited();
  for (const segment of await segmentsOf(directory)) {
    // A replay may delete it meanwhile.
    const found = await examineSegment(segment, editor).catch(nullWhenGone);
    if (found !== null) add(total, found);
  }
  return total;
}

function segmentsOf(directory: string): Promise<SegmentFile[]> {
  return listSegments(directory).catch((error: unknown) => nullWhenGone(error) ?? []);
}

function nullWhenGone(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
  throw error;
}

function add(total: EditedSegments, more: EditedSegments): void {
  total.erased += more.erased;
  total.blanked += more.blanked;
  total.damagedBytes += more.damagedBytes;
  total.newer += more.newer;
  total.newerChunks += more.newerChunks;
}
