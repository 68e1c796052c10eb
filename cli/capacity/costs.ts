/** What grows with the number of records, and with their bytes. */
export interface Cost {
  perRecord: number;
  /** per KiB of the record's JSON */
  perKib: number;
}

/**
 * What an execution costs: the line through the two sizes that `npm run bench -- scale` measures, on two cores of a server of 2026
 * (docs/scaling.md has the tables). Other machines differ: the bench prints their figures.
 */
export const costs = {
  /** µs of CPU */
  producer: { perRecord: 13, perKib: 14 },
  redis: { perRecord: 1.7, perKib: 1.4 },
  worker: { perRecord: 10, perKib: 14 },
  postgres: { perRecord: 8, perKib: 32 },
  /** bytes */
  walBytes: { perRecord: 1_115, perKib: 334 },
  storedBytes: { perRecord: 944, perKib: 354 },
  /** of Redis' memory, while a record waits: compressed, with records that are as much alike as those of the bench */
  queuedBytes: { perRecord: 5, perKib: 100 },
} as const satisfies Record<string, Cost>;

export type Costs = Record<keyof typeof costs, Cost>;

export function costOf({ perRecord, perKib }: Cost, bytes: number): number {
  return perRecord + (perKib * bytes) / 1_024;
}
