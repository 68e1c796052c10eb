import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

const pollMs = 5;
const patienceMs = 60_000;

/**
 * Resolves when a query of one value says true.
 *
 * @throws Error if it does not within a minute
 */
export async function untilTrue(client: pg.Client, query: string): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const { rows } = await client.query<[boolean]>({ text: query, rowMode: 'array' });
    if (rows[0]?.[0] === true) return;
    if (performance.now() > deadline) throw new Error(`not true within a minute: ${query}`);
    await sleep(pollMs);
  }
}
