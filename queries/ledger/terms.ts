/** What producers counted as not sent, or workers as not stored, each record once. */
export const causes = [
  'stored',
  'duplicate',
  'sampledOut',
  'disabled',
  'dropped',
  'refused',
  'dead',
  'handed',
  'inFlight',
  'uncertain',
  'missing',
] as const;
export type Cause = (typeof causes)[number];

/**
 * One side of the books: what was recorded. The other side: where each of these records is. Counts of records.
 *
 * `stored`: a row of its own. `duplicate`: its row was there already, from another record with the same id. `handed`: a gateway has
 * accepted it and counts it as its own; a sum over producers takes it out of both sides. `inFlight`: with the producer, in Redis or at a
 * worker. `uncertain`: last seen with a producer that is gone. `missing`: in none of these places, by the numbers of its chunk.
 */
export type Terms = { recorded: number } & Record<Cause, number>;

export function noTerms(): Terms {
  const terms = { recorded: 0 } as Terms;
  for (const cause of causes) terms[cause] = 0;
  return terms;
}

/** Adds counts to others, which it changes. */
export function addTerms(to: Terms, more: Partial<Terms>): Terms {
  to.recorded += more.recorded ?? 0;
  for (const cause of causes) to[cause] += more[cause] ?? 0;
  return to;
}

/**
 * The sum over several producers. What one of them handed to a gateway, the gateway has recorded again: it is taken out once.
 */
export function sumOverProducers(parts: readonly Terms[]): Terms {
  const sum = parts.reduce(addTerms, noTerms());
  return { ...sum, recorded: sum.recorded - sum.handed, handed: 0 };
}

/**
 * What is on one side of the books only: recorded, and nowhere. A check of the counting itself, which must be 0; `missing` is not
 * computed from it. Negative: more was found than was recorded.
 */
export function unexplained(terms: Terms): number {
  return causes.reduce((rest, cause) => rest - terms[cause], terms.recorded);
}
