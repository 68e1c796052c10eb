import { expect, inject, onTestFinished, test } from 'vitest';
import { selfContainedClient } from '../../shared/self-contained-client.ts';

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
