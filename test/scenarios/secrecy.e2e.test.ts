import { spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { changeBesideWorkers, connect, createDirectory, createTestDatabase, until } from '../support/fixtures.ts';
import { type SluiceProcess, startSluice } from '../support/fleet.ts';
import { inheritedEnvironment } from '../support/inherited-environment.ts';
import { startFragileRedis } from '../support/private-servers.ts';
import { type Refusal, startRefusingProxy } from '../support/refusing-proxy.ts';
import { startTalkingSender } from '../support/talking-sender.ts';

/** Five processes start, which takes a busy machine its time. */
const timeoutMs = 180_000;
const marker = 'zq-nobody-may-print-this';

/** Every kind of process. */
const programs = [
  ['worker', 'execution-log', 'completed-request'],
  ['worker', 'health-events', 'maintenance'],
  ['console'],
  ['gateway'],
];
const token = `${marker}-token`;
const rules = { rules: [{ do: 'hash', at: ['externalUserId', 'input.user'] }] };

/** What a gateway reads: who may send, and what is hidden. The SDK reads the rules, too. */
async function filesOfGateway(): Promise<Record<string, string>> {
  const dir = await createDirectory();
  const sender = { name: 'shop', sha256: [hash('sha256', token)], scopes: ['executions', 'requests'] };
  await writeFile(join(dir, 'tokens.json'), JSON.stringify({ senders: [sender] }));
  await writeFile(join(dir, 'redact.json'), JSON.stringify(rules));
  return {
    SLUICE_GATEWAY_PORT: '0',
    SLUICE_GATEWAY_TOKENS_FILE: join(dir, 'tokens.json'),
    SLUICE_REDACT_FILE: join(dir, 'redact.json'),
    SLUICE_REDACT_KEY: `${marker}-redact-key`,
  };
}

/** Processes, with a service that records, and all that they print. */
async function startAll(environment: Record<string, string>, wanted: readonly string[][] = programs) {
  const said: string[] = [];
  const ours = {
    SLUICE_WORKER_PORT: '0',
    SLUICE_CONSOLE_PORT: '0',
    SLUICE_LOG_LEVEL: 'trace',
    SLUICE_CHUNK_MAX_WAIT_MS: '5',
    SLUICE_HEALTH_BLOCK_MS: '200',
    SLUICE_API_KEY_PEPPER: `${marker}-pepper`,
    SLUICE_METRICS_TOKEN: `${marker}-metrics`,
    ...(await filesOfGateway()),
    ...environment,
  };
  const processes = await Promise.all(wanted.map((args) => startSluice([...args], ours)));
  const gateway = processes[wanted.findIndex(([name]) => name === 'gateway')];
  const sender = gateway === undefined ? null : await startSender(gateway);
  const host = spawn(process.execPath, [resolve('test/support/talking-host-process.ts')], {
    env: { ...inheritedEnvironment(), ...ours, MARKER: marker },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void host.kill('SIGKILL'));
  for (const stream of [host.stdout, host.stderr]) stream.on('data', (bytes) => said.push(String(bytes)));
  const hostEnded = once(host, 'exit');
  return {
    all: () =>
      [...said, ...(sender?.answers ?? []), ...processes.flatMap(({ stdout, stderr }) => [...stdout, ...stderr])].join(
        '\n',
      ),
    /** what senders were told */
    answers: () => (sender?.answers ?? []).join('\n'),
    /** Resolves when a sender has been answered to each kind of body. */
    sent: async () => sender?.round(),
    /** what the gateway tells of itself */
    async metrics(): Promise<string> {
      const answer = await fetch(`${gateway === undefined ? '' : await urlOf(gateway)}/metrics`, {
        headers: { authorization: `Bearer ${marker}-metrics` },
      });
      expect(answer.status).toBe(200);
      return answer.text();
    },
    fleet: () => processes.flatMap(({ stdout }) => stdout).join('\n'),
    host: () => said.join(''),
    async stop(): Promise<void> {
      await sender?.stop();
      for (const process of [...processes, host]) process.kill('SIGTERM');
      await Promise.all([hostEnded, ...processes.map(({ ended }) => ended)]);
    },
  };
}

async function urlOf({ stdout }: SluiceProcess): Promise<string> {
  const line = await until(() => stdout.find((one) => one.includes('gateway is up')));
  return (JSON.parse(line) as { url: string }).url;
}

async function startSender(gateway: SluiceProcess) {
  const sender = startTalkingSender(await urlOf(gateway), { token, marker });
  onTestFinished(sender.stop);
  return sender;
}

const refusals: Record<string, Refusal> = {
  OOM: () => "-OOM command not allowed when used memory > 'maxmemory'.",
  NOPERM: ([name]) => `-NOPERM User default has no permissions to run the '${name}' command`,
  WRONGTYPE: () => '-WRONGTYPE Operation against a key holding the wrong kind of value',
  READONLY: () => "-READONLY You can't write against a read only replica.",
  MISCONF: () => '-MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.',
  LOADING: () => '-LOADING Redis is loading the dataset in memory',
  BUSY: () => '-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  EXECABORT: () => '-EXECABORT Transaction discarded because of previous errors.',
  MOVED: () => '-MOVED 3999 127.0.0.1:6381',
  'unknown command': ([name, ...words]) =>
    `-ERR unknown command '${name}', with args beginning with: ${words.map((word) => `'${word.replaceAll(/\s/g, ' ')}'`).join(' ')}`,
  'Unknown RESP type': (words) => words.join(' ').replaceAll(/\s/g, ' '),
};

test('secrecy: whatever Redis refuses with, no log and no rejection has a password or a value of a record in it', {
  timeout: timeoutMs,
}, async () => {
  const redis = await startFragileRedis();
  const admin = new Redis(redis.url);
  onTestFinished(() => admin.disconnect());
  const password = `${marker}-password`;
  await admin.acl('SETUSER', 'fleet', 'on', `>${password}`, '~*', '&*', '+@all');
  const proxied = new URL(redis.url);
  proxied.username = 'fleet';
  proxied.password = password;
  const proxy = await startRefusingProxy(proxied.href);
  const databaseUrl = await createTestDatabase();
  const client = await connect(databaseUrl);
  const fleet = await startAll({ REDIS_URL: proxy.url, DATABASE_URL: databaseUrl });
  const stored = async () => Number((await client.query('select count(*) from strategy_execution_log')).rows[0].count);
  await until(async () => (await stored()) > 0);

  for (const [name, refusal] of Object.entries(refusals)) {
    const isTold = (said: string) => said.includes(`${name} `);
    proxy.answer(refusal);
    // All of them meet it, and each says so or not in its own time.
    await until(() => (isTold(fleet.fleet()) || isTold(fleet.host())) && proxy.refused > 20);
  }
  await fleet.sent();
  for (const line of [
    '-WRONGPASS invalid username-password pair or user is disabled.',
    '-NOAUTH Authentication required.',
  ]) {
    proxy.answer(() => line, { greetings: true });
    await until(() => fleet.fleet().includes(line.slice(1)));
  }
  proxy.answer(null);
  const before = await stored();
  await until(async () => (await stored()) > before);
  await fleet.sent();
  const metrics = await fleet.metrics();
  await fleet.stop();
  expect(fleet.host()).toContain('ReplyError');
  expect(metrics).toContain('sluice_gateway_refusals_total');
  expect(metrics).not.toContain(marker);
  for (const status of [202, 400, 401, 404, 415, 503]) expect(fleet.answers()).toContain(`[${status},`);
  expect(
    fleet
      .all()
      .split('\n')
      .filter((line) => line.includes(marker)),
  ).toEqual([]);
});

test('secrecy: what a real server refuses with is logged without it as well, and so is what PostgreSQL says', {
  timeout: timeoutMs,
}, async () => {
  const redis = await startFragileRedis();
  const admin = new Redis(redis.url);
  onTestFinished(() => admin.disconnect());
  const databaseUrl = await createTestDatabase();
  const client = await connect(databaseUrl);
  const wrong = new URL(redis.url);
  wrong.password = `${marker}-wrong`;
  const locked = await startAll({ REDIS_URL: wrong.href, DATABASE_URL: databaseUrl });
  await until(() => locked.fleet().includes('WRONGPASS') && locked.host().includes('WRONGPASS'));
  await locked.stop();

  // The server quotes the whole row. It takes what a worker tries out.
  await client.query(`create function refuse() returns trigger language plpgsql as
    $$ begin if new::text like '%${marker}%' then raise exception 'not with me: %', new; end if; return new; end $$`);
  await client.query(
    'create trigger refuse before insert on strategy_execution_log for each row execute function refuse()',
  );
  const fleet = await startAll({ REDIS_URL: redis.url, DATABASE_URL: databaseUrl }, programs.slice(0, 1));
  await until(() => fleet.fleet().includes('record is dead'));
  await changeBesideWorkers(client, 'drop trigger refuse on strategy_execution_log');
  await client.query('alter table request rename column model to another');
  await until(() => fleet.fleet().includes('42703'));
  await admin.config('SET', 'maxmemory', '1');
  await until(() => /OOM|RedisNearlyFullError/.test(fleet.host()));
  await admin.acl('SETUSER', 'default', '-@scripting');
  await until(() => fleet.fleet().includes('NOPERM'));
  await admin.acl('SETUSER', 'default', '+@scripting');
  await fleet.stop();
  const lines = [locked, fleet].flatMap(({ all }) => all().split('\n'));
  expect(lines.filter((line) => line.includes(marker))).toEqual([]);
});

test('secrecy: a gateway that cannot start says why, without a key or a token', { timeout: timeoutMs }, async () => {
  const files = await filesOfGateway();
  const redis = { REDIS_URL: `redis://user:${marker}-password@127.0.0.1:1` };
  const dir = await createDirectory();
  await writeFile(join(dir, 'broken.json'), `{"senders":[{"name":"${marker}","sha256":["${marker}"]}]}`);
  await writeFile(join(dir, 'rules.json'), `{"rules":[{"do":"hash","at":"input","with":"${marker}"}]}`);
  const { SLUICE_REDACT_KEY: key = '', ...others } = files;
  const cases: [Record<string, string>, RegExp][] = [
    [{ ...others, SLUICE_REDACT_KEY: key.slice(0, 12) }, /SLUICE_REDACT_KEY/],
    [others, /SLUICE_REDACT_KEY/],
    [{ ...files, SLUICE_REDACT_FILE: join(dir, 'rules.json') }, /SLUICE_REDACT_FILE/],
    [{ ...files, SLUICE_GATEWAY_TOKENS_FILE: join(dir, 'broken.json') }, /SLUICE_GATEWAY_TOKENS_FILE/],
    [{ ...files, SLUICE_GATEWAY_HOST: '192.0.2.1' }, /EADDRNOTAVAIL/],
  ];
  for (const [environment, says] of cases) {
    const gateway = await startSluice(['gateway'], { SLUICE_LOG_LEVEL: 'trace', ...redis, ...environment });
    expect(await gateway.ended).not.toBe(0);
    const text = [...gateway.stdout, ...gateway.stderr].join('\n');
    expect(text).toMatch(says);
    expect(text).not.toContain(marker.slice(0, 12));
  }
});
