/** What grows with the number of records, and with their bytes. */
export interface Cost {
  perRecord: number;
  /** per KiB of the record's JSON */
  perKib: number;
}

/**
 * What an execution costs, as `npm run bench -- scale` measured it on two cores of an x86-64 server at 2.8 GHz: the two sizes of its
 * first table, and the line through them. Your machines differ: the bench prints your own figures.
 */
export const costs = {
  /** µs of CPU */
  producer: { perRecord: 28, perKib: 9 },
  redis: { perRecord: 9, perKib: 4.5 },
  worker: { perRecord: 28, perKib: 8 },
  postgres: { perRecord: 50, perKib: 19 },
  /** bytes */
  walBytes: { perRecord: 900, perKib: 440 },
  storedBytes: { perRecord: 900, perKib: 450 },
  /** of Redis' memory, while a record waits */
  queuedBytes: { perRecord: 60, perKib: 1_100 },
} as const satisfies Record<string, Cost>;

export type Costs = Record<keyof typeof costs, Cost>;

export function costOf({ perRecord, perKib }: Cost, bytes: number): number {
  return perRecord + (perKib * bytes) / 1_024;
}
