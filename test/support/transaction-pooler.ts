import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createDirectory } from './fixtures.ts';
import { startPgBouncer } from './pgbouncer.ts';

/** A PgBouncer in transaction mode with default settings in front of a server; it goes with the test. The URL leads through it. */
export async function startTransactionPooler(databaseUrl: string): Promise<string> {
  const { url, stop } = await startPgBouncer(databaseUrl, { dir: join(await createDirectory(), 'pgbouncer') });
  onTestFinished(stop);
  return url;
}
