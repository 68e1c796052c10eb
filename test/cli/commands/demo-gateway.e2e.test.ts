import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { connect, createDirectory, createNamespace, createTestDatabase, until } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { findPython } from '../../support/python.ts';

async function givenServers() {
  return {
    DATABASE_URL: await createTestDatabase(),
    REDIS_URL: inject('redisUrl'),
    SLUICE_NAMESPACE: createNamespace(),
    SLUICE_WORKERS: '1',
  };
}

/** The children of a process that were called like this. */
function childrenOf(pid: number, call: RegExp): number[] {
  return execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => call.test(line))
    .map((line) => Number.parseInt(line, 10));
}

const end = ['--games', '0', '--gateway', '--exit', '--json'];

/** What became of the records of one sender, or of all. */
interface Told {
  sender: string;
  sent: number;
  stored: number;
  sampledOut: number;
  duplicates: number;
  dropped: number;
  dead: number;
  inFlight: number;
  refused: number;
}

const outcomesOf = ({ stored, sampledOut = 0, duplicates = 0, dropped, dead, inFlight, refused }: Told): number =>
  stored + sampledOut + duplicates + dropped + dead + inFlight + refused;

/** Each test starts a fleet, which takes its time on a busy machine. */
const withinMs = 120_000;

test(
  'demo: half of the traffic goes through the gateway by the client for Python, and the accounts add up by sender',
  async () => {
    await findPython();
    const environment = await givenServers();
    const args = ['--executions', '3000', '--requests', '400', ...end];
    const demo = await startSluice(['demo', ...args], environment, await createDirectory());
    expect(await demo.ended, demo.stderr.join('\n')).toBe(0);
    const { requests, realms, creators, ...executions } = JSON.parse(demo.stdout.at(-1) ?? '');
    expect(executions).toMatchObject({ sent: 3_000, dropped: 0, refused: 0, unaccounted: 0, reconciled: true });
    expect(requests).toMatchObject({
      inserted: 400,
      dropped: 0,
      refused: 0,
      unaccounted: 0,
      wrong: 0,
      reconciled: true,
    });
    const senders = ['SDK', 'Python client, through the gateway'];
    expect(executions.senders).toMatchObject(senders.map((sender) => ({ sender, sent: 1_500, reconciled: true })));
    expect(requests.senders).toMatchObject(senders.map((sender) => ({ sender, inserted: 200, reconciled: true })));
    for (const told of [...executions.senders, ...requests.senders]) {
      expect(told.stored).toBeGreaterThan(0);
      expect(outcomesOf(told)).toBe(told.sent);
    }
    for (const said of [
      /^sluice: executions: sent 3000 = .* \+ refused 0$/m,
      /^sluice: requests of Python client.*: sent/m,
    ])
      expect(demo.stderr.join('\n')).toMatch(said);

    const client = await connect(environment.DATABASE_URL);
    const stored = await client.query(
      `select count(*)::int n, bool_and(sample_rate = case when status = 'ok' then 0.25 else 1 end) weighed
    from strategy_execution_log where realm_id = any($1) group by realm_id like '%-gateway-%' order by 1`,
      [realms],
    );
    expect(stored.rows).toHaveLength(2);
    for (const { weighed } of stored.rows) expect(weighed).toBe(true);
    const { rows } = await client.query('select count(*)::int n from request where created_by = any($1)', [creators]);
    expect(rows).toEqual([{ n: 400 }]);
  },
  withinMs,
);

test(
  'demo: a gateway that is killed in the middle changes nothing about the accounts',
  async () => {
    await findPython();
    const environment = await givenServers();
    const args = ['--executions', '6000', '--rate', '1500', '--sample-rate', '1', '--requests', '300', ...end];
    const demo = await startSluice(['demo', ...args], environment, await createDirectory());
    const client = await connect(environment.DATABASE_URL);
    const throughGateway = `select from strategy_execution_log where realm_id like '%-gateway-%' limit 301`;
    await until(async () => ((await client.query(throughGateway)).rowCount ?? 0) > 300);
    const [gateway] = childrenOf(demo.pid, / gateway$/);
    process.kill(gateway ?? 0, 'SIGKILL');

    expect(await demo.ended, demo.stderr.join('\n')).toBe(0);
    expect(demo.stderr.join('\n')).toContain('gateway was killed with SIGKILL');
    const { requests, ...executions } = JSON.parse(demo.stdout.at(-1) ?? '');
    expect(executions).toMatchObject({ sent: 6_000, stored: 6_000, unaccounted: 0, reconciled: true });
    expect(requests).toMatchObject({ inserted: 300, unaccounted: 0, wrong: 0, reconciled: true });
  },
  withinMs,
);

test(
  'demo: without a Python that is new enough, the records for the gateway are posted by fetch',
  async () => {
    const path = await createDirectory();
    writeFileSync(join(path, 'python3'), '#!/bin/sh\nexit 1\n');
    chmodSync(join(path, 'python3'), 0o755);
    const environment = { ...(await givenServers()), PATH: `${path}:${process.env['PATH']}` };
    const args = ['--executions', '3000', '--requests', '400', ...end];
    const demo = await startSluice(['demo', ...args], environment, await createDirectory());
    expect(await demo.ended, demo.stderr.join('\n')).toBe(0);
    const { requests, ...executions } = JSON.parse(demo.stdout.at(-1) ?? '');
    const sender = 'fetch, through the gateway';
    expect(executions).toMatchObject({ sent: 3_000, unaccounted: 0, reconciled: true });
    expect(executions.senders[1]).toMatchObject({ sender, sent: 1_500, dropped: 0, refused: 0, reconciled: true });
    expect(executions.senders[1].sampledOut).toBeGreaterThan(0);
    expect(requests.senders[1]).toMatchObject({ sender, inserted: 200, refused: 0, wrong: 0, reconciled: true });
  },
  withinMs,
);
