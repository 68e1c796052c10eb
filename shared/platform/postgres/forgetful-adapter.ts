import { PrismaPg } from '@prisma/adapter-pg';
import type { SqlDriverAdapter, SqlQuery, SqlQueryable } from '@prisma/driver-adapter-utils';
import type pg from 'pg';
import { inSchema, quoteIdentifier } from './schema.ts';

/**
 * Prisma's driver adapter, which keeps no parameter of a statement that has ended. Its debug log keeps what its last 100
 * calls were given, also while it is off: the adapter hands it every query, and ours carry megabytes of JSON. So each call
 * gets a copy of the query's list of arguments, which is emptied when the call has ended. Statements that are written by
 * hand get their schema here: see schema.ts.
 */
export class ForgetfulPg extends PrismaPg {
  readonly #schema: string;

  constructor(pool: pg.Pool, options: { schema: string; disposeExternalPool: boolean }) {
    super(pool, options);
    this.#schema = quoteIdentifier(options.schema);
  }

  override async connect() {
    const adapter = this.#adapt(await super.connect());
    const startTransaction = adapter.startTransaction.bind(adapter);
    adapter.startTransaction = async (...options: Parameters<SqlDriverAdapter['startTransaction']>) =>
      this.#adapt(await startTransaction(...options));
    return adapter;
  }

  #adapt<Queryable extends SqlQueryable>(queryable: Queryable): Queryable {
    const queryRaw = queryable.queryRaw.bind(queryable);
    const executeRaw = queryable.executeRaw.bind(queryable);
    const prepare = (query: SqlQuery): SqlQuery => ({ ...query, sql: inSchema(query.sql, this.#schema) });
    queryable.queryRaw = (query) => withoutTrace(prepare(query), queryRaw);
    queryable.executeRaw = (query) => withoutTrace(prepare(query), executeRaw);
    return queryable;
  }
}

async function withoutTrace<T>(query: SqlQuery, run: (query: SqlQuery) => Promise<T>): Promise<T> {
  const args = [...query.args];
  try {
    return await run({ ...query, args });
  } finally {
    args.length = 0;
  }
}
