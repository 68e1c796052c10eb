import { eraseSubject, type SubjectErasure } from '../../erasure/erase-subject.ts';
import type { ErasureSubject } from '../../shared/contracts/erasure-subject.ts';
import { requireRedis } from '../../shared/platform/config/config.ts';
import { classifyDatabaseError } from '../../shared/platform/postgres/database-errors.ts';
import { createRedis } from '../../shared/platform/redis/redis.ts';
import type { RouteDeps } from './app.ts';

/** The progress of this console's last erasure. Contains no id. */
export interface ErasureState {
  state: 'none' | 'running' | 'ended' | 'failed';
  dryRun: boolean;
  place: string | null;
  pages: number;
  totalPages: number;
  report: SubjectErasure | null;
  problem: string | null;
}

const idle: ErasureState = {
  ...{ state: 'none', dryRun: false, place: null, pages: 0, totalPages: 0, report: null, problem: null },
};

const redisSilenceMs = 10_000;
const waitMs = 60_000;

/** Erases in the background, one subject at a time, because it takes longer than a caller waits. Stops with the console. */
export function createErasureDesk({ database, config }: Pick<RouteDeps, 'database' | 'config'>) {
  const stopping = new AbortController();
  let current: ErasureState = idle;
  let running: Promise<void> | null = null;

  const run = async (subject: ErasureSubject, options: { dryRun: boolean; ownOnly: boolean }): Promise<void> => {
    // A connection of its own: the queues that are opened on it are closed with it.
    const redis = createRedis(requireRedis(config.redis), {
      ...{ role: 'consumer', name: 'sluice:erase', logger: null, silenceMs: redisSilenceMs },
    });
    try {
      await redis.connect();
      const report = await eraseSubject({ database, redis, namespace: config.namespace, spillDirs: [] }, subject, {
        ...options,
        waitMs,
        signal: stopping.signal,
        onProgress: (progress) => {
          current = { ...current, ...progress };
        },
      });
      current = { ...current, state: 'ended', place: null, report };
    } catch (error) {
      // A server's message may quote a row, so only the code is shown.
      const { code } = classifyDatabaseError(error);
      current = {
        ...current,
        state: 'failed',
        problem: `interrupted (${code}); start the erasure again to continue with what is left`,
      };
    } finally {
      redis.disconnect();
    }
  };

  return {
    state: (): ErasureState => current,
    /** @returns false if an erasure is already running */
    begin(subject: ErasureSubject, options: { dryRun: boolean; ownOnly: boolean }): boolean {
      if (running !== null || stopping.signal.aborted) return false;
      current = { ...idle, state: 'running', dryRun: options.dryRun, report: current.report };
      running = run(subject, options).finally(() => {
        running = null;
      });
      return true;
    },
    async stop(): Promise<void> {
      stopping.abort();
      await running;
    },
  };
}
