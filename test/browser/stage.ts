import type { BrowserContextOptions } from 'playwright-core';
import { inject } from 'vitest';
import type { RuntimeStatus } from '../../shared/contracts/runtime-status.ts';
import { aConsole, allTokens, operatorToken } from '../support/a-console.ts';
import { openQueue } from '../support/fixtures.ts';
import { connectRedis, insertRuntimeRecord } from '../support/health.ts';
import { aLife, insertChunk, insertLife, insertMinute } from '../support/ledger-rows.ts';
import { insertDeadLetter } from '../support/seed-console.ts';
import { startNginx } from '../support/web-proxies.ts';
import { aPage } from './a-page.ts';
import { storeDemoRequests, storeDemoRuns } from './demo-data.ts';

/** The example of nginx without TLS: the page's own addresses are what is looked at. */
const withoutTls = [
  ['listen 443 ssl;', 'listen 443;'],
  ['ssl_certificate     /etc/ssl/ops.example.pem;', ''],
  ['ssl_certificate_key /etc/ssl/ops.example.key;', ''],
] as const;

/**
 * A console that listens, on a database and in a namespace of the test's own: directly or, with tokens, behind nginx at a
 * sub-path, as the project says.
 */
export async function aStage(environment: Record<string, string> = {}) {
  const basePath = inject('basePath');
  const isProxied = basePath !== '';
  const proxied = { ...allTokens, SLUICE_CONSOLE_BASE_PATH: basePath, SLUICE_CONSOLE_TRUSTED_PROXIES: '127.0.0.1' };
  const console = await aConsole({ ...(isProxied ? proxied : {}), ...environment });
  let url = await console.app.listen({ host: '127.0.0.1', port: 0 });
  console.start();
  if (isProxied) {
    const { port } = await startNginx({ consolePort: Number(new URL(url).port), changes: withoutTls });
    url = `http://127.0.0.1:${port}${basePath}`;
  }
  /** A page of somebody who may change things, which takes a login where there are tokens. */
  const openPage = async (options: BrowserContextOptions = {}) =>
    aPage(isProxied ? { ...options, storageState: await logIn(url) } : options);
  return { ...console, url, openPage };
}

/** What a browser keeps of an operator's login. */
async function logIn(url: string): Promise<NonNullable<BrowserContextOptions['storageState']>> {
  const answer = await fetch(`${url}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: operatorToken }),
  });
  const [, name = '', value = '', path = ''] =
    /^([^=]+)=([^;]+);.* Path=([^;]+);/.exec(answer.headers.get('set-cookie') ?? '') ?? [];
  const place = { domain: '127.0.0.1', path, expires: -1, httpOnly: true, secure: false, sameSite: 'Strict' } as const;
  return { cookies: [{ name, value, ...place }], origins: [] };
}

export type Stage = Awaited<ReturnType<typeof aStage>>;

const games: [RuntimeStatus, string, number][] = [
  ['running', 'healthy', 14],
  ['engine_unreachable', 'probe_failed', 3],
  ['generation_failed', 'healthy', 2],
  ['starting', '', 1],
  ['finished', 'healthy', 5],
];

/** Something of every kind, as the demo leaves it: runs of a day, dead letters of three causes, requests, games, waiting jobs. */
export async function fill(stage: Stage): Promise<void> {
  await storeDemoRuns(stage.database, 4_000);
  await fillDeadLetters(stage);
  await storeDemoRequests(stage.database, 300);
  await fillLedger(stage);
  for (const [status, engineHealth, count] of games) {
    for (let n = 1; n <= count; n += 1)
      await insertRuntimeRecord(stage.client, { game_id: `game-${status}-${n}`, status, engine_health: engineHealth });
  }
  await connectRedis().xadd(stage.keys.stream, `${Date.now() - 4_000}-0`, 'game_id', 'game-running-1');
  const queue = openQueue(stage.namespace);
  await queue.addBulk(
    Array.from({ length: 12 }, (_, n) => ({
      name: 'chunk',
      data: { v: 1, producer: 'demo', epoch: 'e', seq: n, records: [] },
    })),
  );
}

async function fillDeadLetters({ client }: Stage): Promise<void> {
  const causes = [
    {
      code: '22P05',
      reason: 'unsupported Unicode escape sequence',
      signature: '22P05 unsupported Unicode escape sequence',
      deadLetters: 6,
    },
    {
      code: 'schema',
      reason: 'durationMs: Invalid input: expected number, received string',
      signature: 'schema durationMs: Invalid input',
      deadLetters: 3,
    },
    {
      code: '23514',
      reason: 'no partition of relation found for row',
      signature: '23514 no partition of relation found for row',
      deadLetters: 1,
    },
  ];
  for (const { deadLetters, ...cause } of causes) {
    for (let n = 0; n < deadLetters; n += 1) await insertDeadLetter(client, cause);
  }
}

/** Books of every kind: a producer that is well, one whose chunks are missing, one that ended without a word, one with a wrong clock. */
async function fillLedger({ client }: Stage): Promise<void> {
  const last = Math.floor(Date.now() / 60_000) - 20;
  for (const { producer, missing = null, ...report } of [
    { producer: 'scoring-well' },
    { producer: 'scoring-with-a-gap', missing: 7 },
    { producer: 'scoring-ended-without-a-word', unacknowledged: [[13, 13]] as const, agoSeconds: 900 },
    { producer: 'scoring-with-a-wrong-clock', behindSeconds: -400 },
  ]) {
    const life = aLife({ producer });
    for (let seq = 1; seq <= 12; seq += 1) {
      const minute = last - 300 + seq * 20;
      const chunk = {
        seq,
        before: (seq - 1) * 120,
        of: [
          ['acme', minute, 80],
          ['borealis', minute, 40],
        ] as const,
      };
      const firstAt = new Date(Date.now() - 3_600_000);
      if (seq !== missing) await insertChunk(client, life, { ...chunk, firstAt });
      await insertMinute(client, life, minute, 'acme', { recorded: 300, sampledOut: 220, chunked: 80, sent: 80 });
      await insertMinute(client, life, minute, 'borealis', {
        recorded: 46,
        dropped: { bufferFull: 6 },
        chunked: 40,
        sent: 40,
      });
    }
    const isSilent = 'unacknowledged' in report;
    if (isSilent) await insertMinute(client, life, last - 50, 'acme', { recorded: 60, chunked: 60 });
    await insertLife(client, life, {
      lastSeq: isSilent ? 13 : 12,
      chunkedRecords: isSilent ? 1_500 : 1_440,
      ...report,
    });
  }
}
