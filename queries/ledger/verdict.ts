import type { Terms } from './terms.ts';

/**
 * What the books say. `missing`: records are lost. `disagreeing`: records are on one side of the books only. `unchecked`: somebody who
 * has to be asked did not answer. `uncertain`: a producer ended without saying what it had left. `balanced`: each record is somewhere.
 * `empty`: nothing was recorded.
 */
export const verdictStates = ['missing', 'disagreeing', 'unchecked', 'uncertain', 'balanced', 'empty'] as const;
export type VerdictState = (typeof verdictStates)[number];

export interface Verdict {
  state: VerdictState;
  /** one sentence or two for a person */
  text: string;
}

/** What a verdict depends on. */
export interface VerdictFacts {
  total: Terms;
  /** see terms.ts */
  unexplained: number;
  /** records that have not arrived, and of which nobody could say where they are; they count as in flight */
  unchecked: number;
  /** the most that producers may have lost which ended without a word: those that count as uncertain, and what they never told */
  uncertainUpTo: number;
}

/** What the books of a window say, in one line. */
export function toVerdict({ total, unexplained, unchecked, uncertainUpTo }: VerdictFacts): Verdict {
  const lost =
    uncertainUpTo === 0
      ? ''
      : ` And 0 to ${count(uncertainUpTo)} more may be lost with producers that ended without a word.`;
  if (total.missing > 0)
    return {
      state: 'missing',
      text: `${records(total.missing)} missing: Redis had ${total.missing === 1 ? 'it, and it is' : 'them, and they are'} neither there nor stored.${lost}`,
    };
  if (unexplained !== 0)
    return {
      state: 'disagreeing',
      text: `The counts do not agree: ${count(Math.abs(unexplained))} of ${count(total.recorded)} records are ${unexplained > 0 ? 'recorded, and nowhere' : 'somewhere, and were not recorded'}.`,
    };
  if (unchecked > 0)
    return {
      state: 'unchecked',
      text: `${records(unchecked)} not there yet, and Redis could not be asked for all of them: they may be in flight or missing.${lost}`,
    };
  if (total.recorded === 0 && uncertainUpTo === 0) return { state: 'empty', text: 'Nothing was recorded.' };
  if (uncertainUpTo > 0)
    return {
      state: 'uncertain',
      text: `Of ${count(total.recorded)} records, none is known to be missing, but 0 to ${count(uncertainUpTo)} may be lost with producers that ended without a word.`,
    };
  return {
    state: 'balanced',
    text: `The books balance: of ${count(total.recorded)} records, ${count(total.stored)} are stored, ${count(total.inFlight)} are in flight, and none is missing.`,
  };
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function records(value: number): string {
  return value === 1 ? '1 record is' : `${count(value)} records are`;
}
