import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isKnownToHaveEnded, type OwnerFacts } from './owner.ts';
import { identifyThisProcess, type ProcessIdentity } from './process-identity.ts';
import { readSegmentFile } from './segment-reader.ts';
import { listSegments, listSessions, type SegmentFile } from './session-directories.ts';
import { spillTiming } from './timing.ts';

/** What is on disk. Times are ms since 1970. */
export interface SpillContent {
  segments: number;
  /** intact chunks, and below the records in them */
  chunks: number;
  records: number;
  /** of the segment files */
  bytes: number;
  /** in ranges that are no intact frame */
  corruptBytes: number;
  /** in segments of a newer version, which this version does not read */
  newerBytes: number;
  /** null if there is no chunk */
  firstWrittenMs: number | null;
  lastWrittenMs: number | null;
}

/** The content of one session's directory. */
export interface InspectedSession extends SpillContent {
  /** `<namespace>.<queue>/<producer>-<epoch>.<random>`, followed by `@<claimer>` while another session replays it */
  name: string;
  /**
   * `orphan`: its session has ended, and the next one that looks takes it. `live`: its session, or the one that replays it, gave a
   * heartbeat just now. `silent`: it has given none for some time by this machine's clock; others take it when they have watched
   * it for themselves
   */
  state: 'live' | 'silent' | 'orphan';
}

/**
 * Reads everything below a spill directory and changes nothing.
 *
 * While a session is live, segments may disappear as they are counted, and what is just being written at the end of a segment
 * is not counted yet.
 *
 * @throws when the directory cannot be read
 */
export async function inspectSpill(dir: string, nowMs: number): Promise<InspectedSession[]> {
  const us = await identifyThisProcess();
  const sessions: InspectedSession[] = [];
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    for (const { path, name, owner } of await listSessions(join(dir, entry.name))) {
      const state = stateOf(owner, us, nowMs);
      const segments = await listSegments(path).catch(() => []);
      // One after the other: reading a segment keeps a whole chunk in memory.
      const contents: SpillContent[] = [];
      for (const [index, segment] of segments.entries())
        contents.push(await inspectSegment(segment, state !== 'orphan' && index === segments.length - 1));
      sessions.push({ name: `${entry.name}/${name}`, state, ...addUp(contents) });
    }
  }
  return sessions;
}

function stateOf(owner: OwnerFacts | null, us: ProcessIdentity, nowMs: number): InspectedSession['state'] {
  if (owner === null || isKnownToHaveEnded(owner, us)) return 'orphan';
  // For display only, so our own clock will do.
  return nowMs - owner.heartbeatAtMs < spillTiming.silentAfterMs ? 'live' : 'silent';
}

/** Adds several contents up. */
export function addUp(contents: readonly SpillContent[]): SpillContent {
  const sum = (pick: (content: SpillContent) => number): number =>
    contents.reduce((total, content) => total + pick(content), 0);
  const times = (pick: (content: SpillContent) => number | null): number[] =>
    contents.map(pick).filter((time) => time !== null);
  return {
    segments: sum(({ segments }) => segments),
    chunks: sum(({ chunks }) => chunks),
    records: sum(({ records }) => records),
    bytes: sum(({ bytes }) => bytes),
    corruptBytes: sum(({ corruptBytes }) => corruptBytes),
    newerBytes: sum(({ newerBytes }) => newerBytes),
    firstWrittenMs: times(({ firstWrittenMs }) => firstWrittenMs).reduce(least, null),
    lastWrittenMs: times(({ lastWrittenMs }) => lastWrittenMs).reduce(most, null),
  };
}

const least = (a: number | null, b: number): number => (a === null || b < a ? b : a);
const most = (a: number | null, b: number): number => (a === null || b > a ? b : a);

async function inspectSegment({ path, bytes }: SegmentFile, isBeingWritten: boolean): Promise<SpillContent> {
  const content = { ...addUp([]), segments: 1, bytes };
  let tailBytes = 0;
  try {
    for await (const part of readSegmentFile(path, bytes)) {
      tailBytes = part.kind === 'corrupt' ? part.bytes : 0;
      content.corruptBytes += tailBytes;
      if (part.kind === 'newer') content.newerBytes += part.bytes;
      if (part.kind !== 'chunk') continue;
      const { records, writtenAtMs } = part.chunk;
      content.chunks += 1;
      content.records += records;
      content.firstWrittenMs = least(content.firstWrittenMs, writtenAtMs);
      content.lastWrittenMs = most(content.lastWrittenMs, writtenAtMs);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return addUp([]);
    throw error;
  }
  if (isBeingWritten) content.corruptBytes -= tailBytes;
  return content;
}
