import { createDatabase, type Database } from '../../shared/platform/postgres/database.ts';
import type { Testbed } from '../testbed.ts';
import type { Contender } from './contender.ts';

/** A statement of the workers alone, with the workers' batches: Sluice without SDK, Redis and BullMQ. */
export function createStatement<Rows extends { json(index: number): string }>(
  testbed: Testbed,
  name: string,
  store: (database: Database, json: string, records: number) => Promise<unknown>,
): Contender<Rows> {
  const { batch, database: settings } = testbed.config;
  const database = createDatabase(settings, 'bench: statement');
  testbed.onClose(`the client of ${name}`, () => database.$disconnect());
  return {
    name: `${name} alone, no queue`,
    share: 1,
    workerPids: () => [],
    async store(rows, count) {
      let next = 0;
      const takeBatch = (): string[] => {
        const texts: string[] = [];
        for (let bytes = 0; next < count && texts.length < batch.maxRecords && bytes < batch.maxBytes; next += 1) {
          const text = rows.json(next);
          texts.push(text);
          bytes += text.length;
        }
        return texts;
      };
      const writeBatches = async (): Promise<void> => {
        for (let texts = takeBatch(); texts.length > 0; texts = takeBatch())
          await store(database, `[${texts.join(',')}]`, texts.length);
      };
      await Promise.all(Array.from({ length: batch.maxInFlight }, writeBatches));
    },
  };
}
