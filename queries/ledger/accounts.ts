import type { QueueName } from '../../shared/contracts/queues.ts';
import type { ExecutionWindow } from '../executions/window.ts';
import type { PieceState } from './cut-gap.ts';
import type { Terms } from './terms.ts';
import type { Verdict } from './verdict.ts';

/** A line of the books. */
export interface AccountLine extends Terms {
  /** what is on one side only; a check, see terms.ts */
  unexplained: number;
}

export interface ProducerLine extends AccountLine {
  queue: QueueName;
  producer: string;
  /** what it says it is, such as `execution-observer`; null: no report of it has come */
  kind: string | null;
  /** sessions of it that are in the window */
  lives: number;
  /** the most that it may have lost beyond `uncertain`, by its last reports; see SilentLife */
  uncertainUpTo: number;
  /** how far its clock is ahead of the database's (negative: behind), if that is more than two minutes; else null */
  clockOffSeconds: number | null;
}

export interface RealmLine extends AccountLine {
  queue: QueueName;
  /** null: records without a realm. `*`: not told apart */
  realm: string | null;
}

/** Records of one life that have not arrived, by the numbers of its chunks. */
export interface GapEntry {
  queue: QueueName;
  producer: string;
  /** names the life; with a dot and the number of a chunk it is the id of the chunk's job */
  life: string;
  state: PieceState;
  fromSeq: number;
  /** the last one */
  untilSeq: number;
  records: number;
  /** between them the records were recorded, by the producer's clock; null: unknown */
  since: Date | null;
  until: Date | null;
}

/** A life that has not said goodbye and has not been heard of for a while, and may have had something left. */
export interface SilentLife {
  queue: QueueName;
  producer: string;
  life: string;
  /** when a worker last took a chunk or a report of it */
  lastHeardAt: Date;
  /** records that it is known to have had, and that nobody has seen since */
  uncertain: number;
  /** at most so many may be lost, those included */
  upTo: number;
}

/** A life whose minutes are those of a wrong clock. */
export interface ClockEntry {
  queue: QueueName;
  producer: string;
  life: string;
  /** ahead of the clock of the database; negative: behind, or its reports took so long */
  offSeconds: number;
  lastHeardAt: Date;
}

/** The books of a window. */
export interface Accounts {
  /** by the clock of the database */
  at: Date;
  /** in whole minutes, by the clocks of the producers */
  window: ExecutionWindow;
  verdict: Verdict;
  total: AccountLine;
  /** the most that may be lost with producers that ended without a word, `total.uncertain` included */
  uncertainUpTo: number;
  /** of `total.dropped`, by the reason, the largest first */
  droppedBy: { reason: string; records: number }[];
  /** of `total.inFlight`, by the place */
  inFlightBy: Record<InFlightPlace, number>;
  /** those with something amiss first, then the largest */
  producers: ProducerLine[];
  producersLeftOut: number;
  realms: RealmLine[];
  realmsLeftOut: number;
  series: { bucketMs: number; buckets: (AccountLine & ExecutionWindow)[] };
  /** missing ones first, then the largest */
  gaps: GapEntry[];
  gapsLeftOut: number;
  silentLives: SilentLife[];
  silentLivesLeftOut: number;
  /** lives of the window that were not looked at: what of them has not arrived is in `total.unexplained`, and in no list */
  livesLeftOut: number;
  /** lives that have reported since the window began, and whose clock is off by more than two minutes */
  clocks: ClockEntry[];
}

/**
 * `waiting`: with a producer, in no chunk yet. `unsent`: in a chunk that Redis has not acknowledged. `onDisk`: in the spill of a producer
 * that has closed. `queued`, `failed`: in Redis. `unchecked`: nobody could be asked.
 */
export const inFlightPlaces = ['waiting', 'unsent', 'onDisk', 'queued', 'failed', 'unchecked'] as const;
export type InFlightPlace = (typeof inFlightPlaces)[number];
