/** Where a record that was recorded can be. Each is in one of these places, and counted once. */
export const recordPlaces = [
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
export type RecordPlace = (typeof recordPlaces)[number];

/**
 * One side of the books is what was recorded, the other where each of these records is. All are counts of records.
 *
 * `stored`: a row of its own. `duplicate`: its row was there already, from another record with the same id. `handed`: a gateway has
 * accepted it and counts it as its own; a sum over producers takes it out of both sides. `inFlight`: with the producer, in Redis or at a
 * worker. `uncertain`: last seen with a producer that is gone. `missing`: in none of these places, by the numbers of its chunk.
 */
export type Terms = { recorded: number } & Record<RecordPlace, number>;

export function noTerms(): Terms {
  const terms = { recorded: 0 } as Terms;
  for (const place of recordPlaces) terms[place] = 0;
  return terms;
}

/** Adds counts to others, which it changes. */
export function addTerms(to: Terms, more: Partial<Terms>): Terms {
  to.recorded += more.recorded ?? 0;
  for (const place of recordPlaces) to[place] += more[place] ?? 0;
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
  return recordPlaces.reduce((rest, place) => rest - terms[place], terms.recorded);
}
