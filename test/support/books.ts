import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, inject, onTestFinished } from 'vitest';
import type { ObserverStats } from '../../producers/index.ts';
import type { Accounts } from '../../queries/ledger/accounts.ts';
import type { Terms } from '../../queries/ledger/terms.ts';
import type { BooksCommand } from './books-producer-process.ts';
import { asRole, connect, createNamespace, createTestDatabase, openQueue, until } from './fixtures.ts';
import { inheritedEnvironment } from './inherited-environment.ts';
import { redisEnvironment } from './redis-target.ts';
import { createRunner } from './run-sluice.ts';
import { startWorkerProcess } from './worker-process.ts';

type Line = ObserverStats & { waiting: number; done: number; closed?: object };

/** Producers, workers and the command `sluice ledger` as processes of their own, and a database to count in. */
export async function aBooksFleet(redisUrl: string = inject('redisUrl')) {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const client = await connect(databaseUrl);
  const queue = openQueue(namespace, redisUrl);
  const run = createRunner({
    DATABASE_URL: asRole(databaseUrl, 'console'),
    ...redisEnvironment(redisUrl),
    SLUICE_NAMESPACE: namespace,
  });
  return {
    client,
    namespace,
    queue,
    startWorker: (environment: Record<string, string> = {}) =>
      startWorkerProcess({ databaseUrl, redisUrl, namespace }, environment),
    /** With minutes of 60 ms, unless told otherwise. */
    startProducer: (environment: Record<string, string> = {}) =>
      startBooksProducer({
        ...redisEnvironment(redisUrl),
        SLUICE_NAMESPACE: namespace,
        DSL_EXECUTION_LOG_SAMPLE_RATE: '1',
        SLUICE_CHUNK_MAX_RECORDS: '50',
        SLUICE_CHUNK_MAX_WAIT_MS: '20',
        TEST_SHORT_MINUTES: '1',
        ...environment,
      }),
    /** The books of the days around now, as the command tells them. */
    async ledger(): Promise<{ exitCode: number | string; books: Accounts; stderr: string }> {
      const [since, end] = [-2, 3].map((days) => new Date(Date.now() + days * 86_400_000).toISOString()) as [
        string,
        string,
      ];
      const { exitCode, json, stderr, stdout } = await run('ledger', '--json', '--since', since, '--until', end);
      if (stdout === '') throw new Error(`sluice ledger: ${exitCode} ${stderr}`);
      return { exitCode, books: json() as Accounts, stderr };
    },
    /** What is in the tables, by the names that the producers gave: counted without the ledger. */
    async count(): Promise<{ names: Set<string>; rows: number; dead: number }> {
      const { rows } = await client.query<{ name: string }>('select case_name as name from strategy_execution_log');
      const dead = await client.query('select from dead_letter');
      return { names: new Set(rows.map(({ name }) => name)), rows: rows.length, dead: dead.rowCount ?? 0 };
    },
    /** Lets so much time pass for the ledger, for what has come so far. */
    async age(seconds: number): Promise<void> {
      await client.query(`update ledger_life set last_at = last_at - make_interval(secs => $1)`, [seconds]);
      await client.query(`update ledger_chunk set first_at = first_at - make_interval(secs => $1)`, [seconds]);
    },
    /** Resolves when nothing is in the queue any more. */
    empty: () =>
      until(async () => {
        const { waiting, active, delayed } = await queue.getJobCounts('waiting', 'active', 'delayed');
        return waiting === 0 && active === 0 && delayed === 0;
      }),
  };
}

/** How the three sides of a term are called. */
export interface Sides {
  /** what the test knows */
  truth: Partial<Terms>;
  /** what is in the tables of records, and by name what is not */
  counted: Partial<Terms>;
}

/** Compares what happened, what can be counted and what the ledger says, and shows all three. Terms that are not named are 0. */
export function expectSides(what: string, books: Accounts, { truth, counted }: Sides): void {
  const names = ['recorded', 'stored', 'duplicate', 'dropped', 'dead', 'inFlight', 'uncertain', 'missing'] as const;
  const lines = names.map((name) => {
    const ledger = books.total[name];
    return { name, truth: truth[name] ?? 0, counted: counted[name] ?? null, ledger };
  });
  const table = [
    `${what}: ${books.verdict.text}`,
    ...lines
      .filter((line) => line.truth !== 0 || line.ledger !== 0)
      .map(
        (line) =>
          `  ${line.name.padEnd(10)} truth ${line.truth}, counted ${line.counted ?? '–'}, ledger ${line.ledger}`,
      ),
    `  unexplained ${books.total.unexplained}`,
  ].join('\n');
  process.stdout.write(`${table}\n`);
  expect(
    lines.map(({ name, truth: known, ledger }) => [name, known, ledger]),
    `${table}\n${JSON.stringify(books.gaps)}`,
  ).toEqual(lines.map(({ name, truth: known }) => [name, known, known]));
  for (const line of lines)
    if (line.counted !== null) expect([line.name, line.counted], table).toEqual([line.name, line.truth]);
  expect(books.total.unexplained, table).toBe(0);
}

function startBooksProducer(environment: Record<string, string>) {
  const child = spawn(process.execPath, [resolve('test/support/books-producer-process.ts')], {
    env: { ...inheritedEnvironment(), ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const lines: Line[] = [];
  const stderr: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as Line));
  createInterface({ input: child.stderr }).on('line', (line) => stderr.push(line));
  const ended = new Promise<void>((resolveEnded) => child.once('close', () => resolveEnded()));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let commands = 0;
  const tell = async (command: BooksCommand): Promise<Line> => {
    commands += 1;
    child.stdin.write(`${JSON.stringify(command)}\n`);
    const wanted = commands;
    return until(() => {
      if (child.exitCode !== null && !command.close) throw new Error(stderr.join('\n'));
      return lines.find(({ done }) => done >= wanted);
    });
  };
  return {
    /** Records, and resolves when it has. */
    record: (record: number, rest: Omit<BooksCommand, 'record' | 'close'> = {}) => tell({ record, ...rest }),
    /** Resolves when a printed line is as it should be. */
    until: (condition: (line: Line) => boolean): Promise<Line> =>
      until(() => {
        const last = lines.at(-1);
        return last !== undefined && condition(last) ? last : null;
      }),
    async close(): Promise<Line> {
      await tell({ close: true });
      await ended;
      return lines.at(-1) as Line;
    },
    async kill(): Promise<void> {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
