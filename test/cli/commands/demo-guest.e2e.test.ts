import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { chooseEvents } from '../../../demo/executions/demo-events.ts';
import { generateGames } from '../../../demo/games/generate-games.ts';
import { chooseRequests } from '../../../demo/requests/demo-requests.ts';
import { runDemo } from '../../../demo/run.ts';
import { startPostgres } from '../../../dev/servers/postgres.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { connect, createDirectory, createNamespace, until } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import {
  admitGuest,
  asGuest,
  type GuestRole,
  guest,
  guestUsers,
  makeNeighbours,
  readNeighbours,
} from '../../support/guest.ts';
import { createHealthKeys } from '../../support/health.ts';
import { parentOfDatabases } from '../../support/memory-directory.ts';
import { olderPostgres } from '../../support/older-postgres.ts';
import { startPgBouncer } from '../../support/pgbouncer.ts';
import { createRunner } from '../../support/run-sluice.ts';

/** A server of others in another time zone, as its owner and by the way that the fleet goes. */
async function aServer(binaries: Awaited<ReturnType<typeof olderPostgres>> | undefined, way: 'direct' | 'pooled') {
  const server = await startPostgres({
    dir: join(await createDirectory(await parentOfDatabases()), 'postgres'),
    fsync: false,
    settings: { timezone: 'Europe/Berlin', datestyle: 'German' },
    ...(binaries === undefined ? {} : { binaries }),
  });
  onTestFinished(server.stop);
  const owner = await connect(server.url);
  await makeNeighbours(owner);
  if (way === 'direct') return { owner, url: server.url };
  const pooler = await startPgBouncer(server.url, {
    dir: join(await createDirectory(), 'pgbouncer'),
    users: guestUsers(),
  });
  onTestFinished(pooler.stop);
  return { owner, url: pooler.url };
}

/** Starts a process that goes on, and waits until it says so. @returns where it can be asked, and its complaints so far */
async function startLasting(args: string[], environment: Record<string, string>, isUp: RegExp) {
  const lasting = await startSluice(args, environment);
  const log = () => lasting.stdout.map((line) => JSON.parse(line) as { level: number; msg: string; url?: string });
  const up = until(() => log().some(({ msg }) => isUp.test(msg)));
  const ended = await Promise.race([up.then(() => null), lasting.ended]);
  if (ended !== null) throw new Error(`${args.join(' ')} ended (${ended}): ${lasting.stderr.join('\n')}`);
  return {
    url: log().find(({ url }) => url !== undefined)?.url ?? '',
    // The demo writes entries that are wrong on purpose.
    complaints: () => [
      ...log().filter(({ level, msg }) => level >= 40 && msg !== 'entries became dead letters'),
      ...lasting.stderr,
    ],
  };
}

test.each([
  ['the PostgreSQL of the system', 'pooled', () => olderPostgres()],
  ['the newest PostgreSQL', 'pooled', () => Promise.resolve(undefined)],
  ['the PostgreSQL of the system', 'direct', () => olderPostgres()],
  ['the newest PostgreSQL', 'direct', () => Promise.resolve(undefined)],
] as const)(
  'demo: on %s, %s, in a schema beside others, it adds up when each process has its role and nothing more',
  async (_name, way, find) => {
    const { owner, url } = await aServer(await find(), way);
    const before = await readNeighbours(owner);
    const common = {
      REDIS_URL: inject('redisUrl'),
      SLUICE_NAMESPACE: createNamespace(),
      SLUICE_WORKER_PORT: '0',
      SLUICE_CONSOLE_PORT: '0',
      ...createHealthKeys().environment,
    };
    const as = (role: GuestRole) => ({ ...common, DATABASE_URL: asGuest(url, role) });

    const { stdout: grants } = await createRunner(as('migrator'))('grants');
    await owner.query(grants);
    await admitGuest(owner, 'sluice');
    for (const role of Object.values(guest.roles)) await owner.query(`alter role ${role} password '${guest.password}'`);
    expect(await createRunner(as('migrator'))('migrate')).toMatchObject({ exitCode: 0, stderr: '' });

    const [worker, health, maintenance, console] = await Promise.all([
      startLasting(['worker', 'execution-log', 'completed-request'], as('worker'), /^taking jobs/),
      startLasting(['worker', 'health-events'], as('worker'), /^worker is up$/),
      startLasting(['worker', 'maintenance'], as('migrator'), /^taking tasks/),
      startLasting(['console'], as('console'), /^console is up$/),
    ]);

    const seed = 1;
    const executions = await chooseEvents({ executions: 1_000, traceFile: null, perSecond: 1_000, seed });
    const requests = await chooseRequests({ requests: 100, traceFile: null, seconds: 1, seed });
    const games = { count: 3, timeline: generateGames({ games: 3, seconds: 1, seed }) };
    const result = await runDemo(
      loadConfig(as('worker')),
      { executions, requests, games, sampleRate: 0.25, seed },
      new AbortController().signal,
    );
    expect(result).toMatchObject({ sent: 1_000, dropped: 0, dead: 0, inFlight: 0, unaccounted: 0, reconciled: true });
    expect(result.requests).toMatchObject({ dropped: 0, dead: 0, unaccounted: 0, reconciled: true });
    expect(result.games).toMatchObject({ reconciled: true });

    const ask = async (path: string, method = 'GET') => {
      const answer = await fetch(`${console.url}/api/v1/${path}`, { method });
      return { status: answer.status, body: (await answer.json()) as { executions?: { id: string }[] } };
    };
    const realm = result.realms[0] ?? '';
    const { rows } = await owner.query(
      `select id, count(*) over ()::int as n from "my-Sluice".strategy_execution_log where realm_id = $1 order by recorded_at desc, id desc limit 1`,
      [realm],
    );
    expect(rows[0].n).toBeGreaterThan(0);
    const listed = await ask(`executions?realmId=${realm}&limit=1`);
    expect([listed.status, listed.body.executions?.[0]?.id]).toEqual([200, rows[0].id]);
    expect((await ask(`requests?createdBy=${result.creators[0]}`)).status).toBe(200);
    expect((await ask('requests/018f0000-0000-7000-8000-000000000000', 'DELETE')).status).toBe(403);

    expect(await createRunner(as('migrator'))('maintain')).toMatchObject({ exitCode: 0 });
    const judge = async (role: GuestRole) => {
      const { findings } = (await createRunner(as(role))('doctor', '--json')).json() as {
        findings: { subject: string; level: string; message: string }[];
      };
      return findings
        .filter(({ subject, level }) => subject === 'postgres' && level !== 'ok')
        .map(({ message }) => message);
    };
    expect(await Promise.all([judge('migrator'), judge('worker')])).toEqual([
      [],
      ['the user in DATABASE_URL may write, but not create partitions'],
    ]);

    const { rows: owners } = await owner.query(
      `select distinct tableowner from pg_tables where schemaname = 'my-Sluice'`,
    );
    expect(owners).toEqual([{ tableowner: guest.roles.migrator }]);
    expect(await readNeighbours(owner)).toEqual(before);
    expect([worker, health, maintenance, console].flatMap(({ complaints }) => complaints())).toEqual([]);
  },
  // Some ten processes start one after the other.
  240_000,
);
