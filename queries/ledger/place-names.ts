import type { InFlightPlace } from './accounts.ts';
import type { PieceState } from './cut-gap.ts';

/** What people call the states of a gap. The page repeats them, see console/page/lib/contract-lists.js. */
export const pieceNames = {
  missing: 'missing',
  uncertain: 'uncertain',
  unchecked: 'not looked up',
  abandoned: 'given up',
  onDisk: 'on disk',
  failed: 'failed job',
  unsent: 'not sent yet',
  queued: 'in Redis',
} as const satisfies Record<PieceState, string>;

/** What people call the places of records that are in flight. The page repeats them, too. */
export const inFlightNames = {
  waiting: 'waiting with producers',
  unsent: 'not acknowledged by Redis',
  onDisk: 'in the spill of closed producers',
  queued: 'in Redis or at a worker',
  failed: 'in failed jobs',
  unchecked: 'not looked up',
} as const satisfies Record<InFlightPlace, string>;
