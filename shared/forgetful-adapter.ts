import { PrismaPg } from '@prisma/adapter-pg';
import type { SqlDriverAdapter, SqlQuery, SqlQueryable } from '@prisma/driver-adapter-utils';

/**
 * Prisma's driver adapter, which keeps no parameter of a statement that has ended. Its debug log keeps what its last 100
 * calls were given, also while it is off: the adapter hands it every query, and ours carry megabytes of JSON. So each call
 * gets a copy of the query's list of arguments, which is emptied when the call has ended.
 */
export class ForgetfulPg extends PrismaPg {
  override async connect() {
    const adapter = forgetArguments(await super.connect());
    const startTransaction = adapter.startTransaction.bind(adapter);
    adapter.startTransaction = async (...options: Parameters<SqlDriverAdapter['startTransaction']>) =>
      forgetArguments(await startTransaction(...options));
    return adapter;
  }
}

function forgetArguments<Queryable extends SqlQueryable>(queryable: Queryable): Queryable {
  const queryRaw = queryable.queryRaw.bind(queryable);
  const executeRaw = queryable.executeRaw.bind(queryable);
  queryable.queryRaw = (query) => withoutTrace(query, queryRaw);
  queryable.executeRaw = (query) => withoutTrace(query, executeRaw);
  return queryable;
}

async function withoutTrace<T>(query: SqlQuery, run: (query: SqlQuery) => Promise<T>): Promise<T> {
  const args = [...query.args];
  try {
    return await run({ ...query, args });
  } finally {
    args.length = 0;
  }
}
