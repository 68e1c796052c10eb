import { expect, inject, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../../../shared/platform/config/config.ts';
import { createDatabase } from '../../../../shared/platform/postgres/database.ts';
import { selfContainedClient } from '../../../../shared/platform/postgres/self-contained-client.ts';

test.each([
  ['begin', 'read committed'],
  ['BEGIN ISOLATION LEVEL REPEATABLE READ', 'repeatable read'],
  ['start transaction isolation level serializable', 'serializable'],
  ['begin; set transaction isolation level repeatable read', 'repeatable read'],
])(
  'self-contained client: a transaction that begins with %j has its isolation and the settings',
  async (begin, isolation) => {
    const Client = selfContainedClient({ TimeZone: 'Asia/Kolkata', lock_timeout: '1234' });
    const client = new Client({ connectionString: inject('postgresUrl') });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query(begin);
    const look = () =>
      client.query(
        "select current_setting('transaction_isolation') as isolation, current_setting('TimeZone') as zone, current_setting('lock_timeout') as lock",
      );
    expect((await look()).rows).toEqual([{ isolation, zone: 'Asia/Kolkata', lock: '1234ms' }]);
    await client.query('commit');
    expect((await look()).rows).toEqual([{ isolation: 'read committed', zone: 'Asia/Kolkata', lock: '1234ms' }]);
  },
);

test('the pool: a connection that comes back within a transaction is not handed on', async () => {
  const config = loadConfig({ DATABASE_URL: inject('postgresUrl') });
  const database = createDatabase(config.database, 'test');
  onTestFinished(() => database.$disconnect());
  const pid = async () => (await database.$queryRaw<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]?.pid;
  const first = await pid();
  expect(await pid()).toBe(first);
  await database.$executeRawUnsafe('begin');
  const second = await pid();
  expect(second).not.toBe(first);
  expect(await database.$transaction((transaction) => transaction.$queryRaw`select pg_backend_pid() as pid`)).toEqual([
    { pid: second },
  ]);
});
