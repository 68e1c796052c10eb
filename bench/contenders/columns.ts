import { Prisma } from '../../shared/platform/postgres/database.ts';

/** The fields that make the primary key: what differs between two rows of the same run. */
export const key: readonly string[] = ['id', 'recordedAt'];

/** The table's columns with the fields that go into them, the key first. Prisma's schema is asked, so nothing can differ. */
export const columns = Object.values(Prisma.StrategyExecutionLogScalarFieldEnum)
  .toSorted((a, b) => Number(key.includes(b)) - Number(key.includes(a)))
  .map((field) => ({ field, column: `"${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}"` }));
