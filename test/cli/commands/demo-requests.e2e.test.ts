import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { connect, createDirectory, createNamespace, createTestDatabase, until } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { connectRedis, createHealthKeys } from '../../support/health.ts';

async function givenServers() {
  return {
    DATABASE_URL: await createTestDatabase(),
    REDIS_URL: inject('redisUrl'),
    SLUICE_NAMESPACE: createNamespace(),
    ...createHealthKeys().environment,
  };
}

/** `count` arrivals, ten a second, of so many tokens each. */
async function writeTrace(count: number, tokens: { context: number; generated: number }): Promise<string> {
  const file = join(await createDirectory(), 'trace.csv');
  const rows = Array.from({ length: count }, (_, index) => {
    const time = new Date(Date.UTC(2026, 0, 5, 9) + index * 100).toISOString().replace('T', ' ').replace('Z', '');
    return `${time},${tokens.context},${tokens.generated}`;
  });
  await writeFile(file, `TIMESTAMP,ContextTokens,GeneratedTokens\n${rows.join('\n')}\n`);
  return file;
}

/** Each test starts a fleet, which takes its time on a busy machine. */
const withinMs = 120_000;

test(
  'demo: requests of a trace have its sizes, end in every way, and add up beside the executions',
  async () => {
    const environment = await givenServers();
    const trace = await writeTrace(900, { context: 300, generated: 100 });
    const args = ['--executions', '500', '--requests', '800', '--trace', trace];
    const end = ['--games', '0', '--rate', '2000', '--exit', '--json'];
    const demo = await startSluice(['demo', ...args, ...end], environment, await createDirectory());
    expect(await demo.ended).toBe(0);

    const { requests, creators, ...result } = JSON.parse(demo.stdout.at(-1) ?? '');
    expect(result).toMatchObject({ sent: 500, reconciled: true });
    expect(requests).toMatchObject({
      inserted: 800,
      dropped: 0,
      dead: 0,
      inFlight: 0,
      unaccounted: 0,
      reconciled: true,
    });
    expect(requests.stored).toBe(requests.inserted + requests.updated);
    expect(requests.stored + requests.duplicates).toBe(requests.sent);
    // Of every request Sluice says the tokens and, to the last digit, the cost that the demo has worked out by itself.
    expect(requests.usage, demo.stderr.join('\n')).toMatchObject({
      differing: 0,
      costs: [expect.stringMatching(/^\d+\.\d\d USD$/)],
    });
    expect(requests.usage.priced).toBeGreaterThan(500);
    expect(demo.stderr.join('\n')).toMatch(/requests: sent \d+ = stored \d+ \(inserted 800/);

    const client = await connect(environment.DATABASE_URL);
    const { rows } = await client.query(`
    select count(*)::int as requests, count(*) filter (where state = 'processing')::int as processing,
      count(*) filter (where state = 'failed' and response_status = 499)::int as abandoned,
      count(*) filter (where response_stream)::int as streams,
      min(body_byte_size)::int as smallest, max(body_byte_size)::int as largest,
      count(*) filter (where body like '%"background"%')::int as "toldHow"
    from request join request_template on request_template.id = template_id
    where created_by = any('{${creators.join(',')}}')`);
    expect(rows[0]).toMatchObject({ requests: 800, processing: 0, toldHow: 0 });
    expect(rows[0].abandoned).toBeGreaterThan(0);
    expect(rows[0].streams).toBeGreaterThan(200);
    expect(rows[0].smallest).toBeGreaterThan(1_200);
    expect(rows[0].largest).toBeLessThan(1_500);
  },
  withinMs,
);

test(
  'demo: a worker killed in the middle changes nothing about the accounts of requests',
  async () => {
    const environment = {
      ...(await givenServers()),
      SLUICE_LOCK_DURATION_MS: '1000',
      SLUICE_STALLED_INTERVAL_MS: '500',
    };
    const args = ['--executions', '1000', '--rate', '500', '--requests', '4000', '--games', '0', '--exit', '--json'];
    const demo = await startSluice(['demo', ...args], environment, await createDirectory());
    const client = await connect(environment.DATABASE_URL);
    await until(async () => ((await client.query('select from request limit 501')).rowCount ?? 0) > 500);
    const [worker] = execFileSync('ps', ['-o', 'pid=', '--ppid', String(demo.pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/)
      .map(Number);
    process.kill(worker ?? 0, 'SIGKILL');

    expect(await demo.ended).toBe(0);
    expect(demo.stderr.join('\n')).toContain('was killed with SIGKILL');
    const { requests } = JSON.parse(demo.stdout.at(-1) ?? '');
    expect(requests).toMatchObject({ inserted: 4_000, unaccounted: 0, wrong: 0, reconciled: true });
  },
  withinMs,
);

test(
  'demo: on given servers it starts none, its accounts add up, and what was not asked for is not in its result',
  async () => {
    const environment = await givenServers();
    const dir = await createDirectory();
    const args = ['--executions', '3000', '--rate', '20000', '--requests', '0', '--games', '0', '--exit', '--json'];
    const demo = await startSluice(['demo', ...args], environment, dir);
    expect(await demo.ended).toBe(0);
    const result = JSON.parse(demo.stdout.at(-1) ?? '');
    expect(result).toMatchObject({ sent: 3_000, unaccounted: 0, requests: null, games: null, reconciled: true });
    expect(result.stored).toBeGreaterThan(0);
    expect(result.stored + result.sampledOut + result.dropped + result.dead + result.inFlight).toBe(3_000);
    expect(demo.stderr.join('\n')).not.toMatch(/PostgreSQL|Redis/);
    expect(existsSync(join(dir, '.sluice/postgres'))).toBe(false);
    const client = await connect(environment.DATABASE_URL);
    expect((await client.query('select from request')).rowCount).toBe(0);
    expect((await client.query('select from runtime_record')).rowCount).toBe(0);
    expect(await connectRedis().exists(environment.SLUICE_HEALTH_STREAM)).toBe(0);
  },
  withinMs,
);
