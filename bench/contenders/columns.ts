import { Prisma } from '../../shared/platform/postgres/database.ts';

/** The fields of the primary key: they distinguish two rows of the same run. */
export const key: readonly string[] = ['id', 'recordedAt'];

/** The table's columns with the fields that fill them, the key first. Taken from Prisma's schema, so that nothing can differ. */
export const columns = Object.values(Prisma.StrategyExecutionLogScalarFieldEnum)
  .toSorted((a, b) => Number(key.includes(b)) - Number(key.includes(a)))
  .map((field) => ({ field, column: `"${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}"` }));
