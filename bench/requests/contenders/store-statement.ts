import { createDatabase } from '../../../shared/platform/postgres/database.ts';
import { storeRequests } from '../../../workers/completed-requests/store.ts';
import type { Contender } from '../../contenders/contender.ts';
import type { Testbed } from '../../testbed.ts';
import type { RequestRows } from '../request-rows.ts';

/** The workers' statement alone, with the workers' batches: Sluice without SDK, Redis and BullMQ. */
export function createStoreStatement(testbed: Testbed): Contender<RequestRows> {
  const { batch, database: settings } = testbed.config;
  const database = createDatabase(settings, 'bench: store statement');
  testbed.onClose('the client of the store statement', () => database.$disconnect());
  return {
    name: 'the store statement alone, no queue',
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
          await storeRequests(database, `[${texts.join(',')}]`);
      };
      await Promise.all(Array.from({ length: batch.maxInFlight }, writeBatches));
    },
  };
}
