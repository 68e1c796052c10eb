import type { Prisma } from '../../prisma/client/client.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import type { Testbed } from '../testbed.ts';
import type { Contender } from './contender.ts';

const rowsPerStatement = 1_000;

/** Prisma's own way to insert many rows, in this process, without a queue. */
export function createCreateMany(testbed: Testbed): Contender {
  const database = createDatabase(testbed.config.database, 'bench: createMany');
  testbed.onClose('the client of createMany', () => database.$disconnect());
  return {
    name: 'createMany, 1,000 rows each, no queue',
    share: 1 / 10,
    workerPids: () => [],
    async store(rows, count) {
      for (let start = 0; start < count; start += rowsPerStatement) {
        const length = Math.min(rowsPerStatement, count - start);
        const data = Array.from({ length }, (_, offset) => rows.record(start + offset));
        await database.strategyExecutionLog.createMany({ data: data as Prisma.StrategyExecutionLogCreateManyInput[] });
      }
    },
  };
}
