import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../../shared/backoff.ts';
import { toError, UsageError } from '../../shared/errors.ts';
import type { Redis } from '../../shared/redis.ts';

const rights = 'let the user of REDIS_URL read the stream of events, write to that of the lobby and run scripts';

/** What Redis will answer until a person mends it, and what there is to mend. */
const remedies: [prefix: string, remedy: string][] = [
  [
    'WRONGTYPE',
    'SLUICE_HEALTH_STREAM or SLUICE_HEALTH_LOBBY_STREAM names a key that is no stream, or the place beside it no hash',
  ],
  ['NOAUTH', 'set a user and a password in REDIS_URL'],
  ['WRONGPASS', 'correct the user and the password in REDIS_URL'],
  ['NOPERM', rights],
  // What Redis 7.0 says of a command in a script.
  ['ERR The user executing the script', rights],
  ['ERR unknown command', 'the server lacks a command that is needed: use Redis 6.2 or later, or Valkey'],
];

/** @returns null for what another try may mend */
function whyFatal(error: Error): string | null {
  const found = remedies.find(([prefix]) => error.message.startsWith(prefix));
  return found === undefined ? null : `Redis refuses: ${error.message} (${found[1]})`;
}

/** Why a transaction was given up: what the server said to the commands in it. */
function previousErrors(error: Error): Error[] {
  const { previousErrors: errors } = error as { previousErrors?: unknown };
  return Array.isArray(errors) ? errors.filter((one) => one instanceof Error) : [];
}

export interface AskOptions {
  redis: Redis;
  backoff: Backoff;
  /** ends the asking: the last error is thrown */
  signal: AbortSignal;
  onFailure(error: Error, attempt: number): void;
  onRecovered(): void;
}

/**
 * Asks Redis until it answers, with jittered backoff: a lost connection, a server that starts or is being replaced.
 *
 * @throws UsageError for what no repeating can mend, with what a person has to do
 */
export async function askRedis<T>(ask: () => Promise<T>, options: AskOptions): Promise<T> {
  const { redis, backoff, signal } = options;
  for (let attempt = 0; ; attempt += 1) {
    try {
      if (redis.status === 'wait' || redis.status === 'end') await redis.connect();
      const answer = await ask();
      if (attempt > 0) options.onRecovered();
      return answer;
    } catch (thrown) {
      const error = toError(thrown);
      const fatal = [error, ...previousErrors(error)].map(whyFatal).find((reason) => reason !== null) ?? null;
      if (fatal !== null) throw new UsageError(fatal, { cause: error });
      if (signal.aborted) throw error;
      options.onFailure(error, attempt);
      await sleep(backoffMs(backoff, attempt, Math.random), undefined, { signal }).catch(() => undefined);
    }
  }
}
