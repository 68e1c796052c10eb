import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { insertExecutions } from '../../workers/execution-log/store.ts';
import type { Testbed } from '../testbed.ts';
import type { Contender } from './contender.ts';

/** The workers' statement alone, with the workers' batches: Sluice without SDK, Redis and BullMQ. */
export function createInsertStatement(testbed: Testbed): Contender {
  const { batch, database: settings } = testbed.config;
  const database = createDatabase(settings, 'bench: insert statement');
  testbed.onClose('the client of the insert statement', () => database.$disconnect());
  return {
    name: 'the insert statement alone, no queue',
    share: 1,
    workerPids: () => [],
    async store(rows, count) {
      let next = 0;
      const writeBatches = async (): Promise<void> => {
        while (next < count) {
          const start = next;
          next = Math.min(count, start + batch.maxRecords);
          const texts = Array.from({ length: next - start }, (_, offset) => rows.json(start + offset));
          await insertExecutions(database, `[${texts.join(',')}]`, texts.length);
        }
      };
      await Promise.all(Array.from({ length: batch.maxInFlight }, writeBatches));
    },
  };
}
