import type { LazyRecord } from '../../producers/core/lazy-record.ts';
import type { Sender } from '../access/sender.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Fault } from './body-tally.ts';

/** What the records of one body have in common. */
export interface BodyContext {
  /** null: there are no tokens */
  sender: Sender | null;
  /** what the notes of each record say first */
  notes: readonly string[];
  /** when the body arrived, the first time where it is a repetition that has a key; ms since 1970 */
  arrivedMs: number;
  /** what the ids of records without one are derived from; null: they get random ones */
  idSeed: string | null;
  /** whether the gateway decides which ok runs are kept */
  sample: boolean;
}

/** What becomes of a record before it is sent. */
export type Taken =
  | { outcome: 'record'; record: LazyRecord; realm: string | null }
  | { outcome: 'sampledOut' }
  | { outcome: 'ignored' }
  | { outcome: 'fault'; fault: Fault };

/** One kind of record: how it is read, and where it goes. */
export interface Intake {
  readonly kind: 'executions' | 'requests';
  readonly delivery: Delivery;
  readonly maxLineBytes: number;
  /** Never throws. @param value of JSON.parse, or of the `split` of its body */
  take(value: unknown, index: number, context: BodyContext): Taken;
}

export const sampledOut = { outcome: 'sampledOut' } as const;
/** It is none of the records that this takes, and nothing is wrong with it. */
export const ignored = { outcome: 'ignored' } as const;
export const refuse = (fault: Fault): Taken => ({ outcome: 'fault', fault });
