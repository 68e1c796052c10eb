import type { ScoringInput } from './evaluation.ts';

export type BuiltInResult = { points: number | null; caseName: string | null };

/** A strategy written in code. It sees the event's data as the pre-rules left it. */
export type BuiltIn = (input: ScoringInput) => BuiltInResult;

/**
 * The built-in `default`: 1 point while the user is new (fewer than 3 contributions),
 * later 3 for being quicker than their own mean and 2 otherwise.
 * Reads `data.contributions`, `data.minutes`, `data.meanMinutes`.
 * @throws Error if `contributions` is not a count: a built-in has no node to blame, so this is an unexpected failure.
 */
export function scoreByDefault({ data }: ScoringInput): BuiltInResult {
  const { contributions, minutes, meanMinutes } = data;
  if (typeof contributions !== 'number' || !Number.isInteger(contributions) || contributions < 0) {
    throw new Error(`built-in default: contributions must be a count, got ${JSON.stringify(contributions)}`);
  }
  if (contributions < 3) return { points: 1, caseName: 'NEWCOMER' };
  const isQuicker = typeof minutes === 'number' && typeof meanMinutes === 'number' && minutes < meanMinutes;
  return isQuicker ? { points: 3, caseName: 'QUICKER_THAN_USUAL' } : { points: 2, caseName: 'STEADY' };
}

/** The built-ins that a DSL_EXTEND program can name as its parent. */
export const builtIns: ReadonlyMap<string, BuiltIn> = new Map([['default', scoreByDefault]]);
