import { EventEmitter, once } from 'node:events';
import { startChild } from '../start-child.ts';
import type { Testbed } from '../testbed.ts';

/** What a worker process of a peer sends after its first message: rows that it has just committed, or why it could not. */
export type PeerMessage = { stored: number } | { error: string };

/** Worker processes of a peer. */
export interface PeerWorkers {
  pids(): number[];
  /**
   * Resolves when this many rows have been committed since the call.
   *
   * @throws Error if a process reported an error or ended, or if nothing was committed for two minutes
   */
  untilStored(rows: number): Promise<void>;
}

const patienceMs = 120_000;

/** Starts the processes. Resolves when all of them are up. */
export async function startPeerWorkers(
  testbed: Testbed,
  { name, file, workers }: { name: string; file: URL; workers: number },
): Promise<PeerWorkers> {
  const events = new EventEmitter<{ change: [] }>();
  let stored = 0;
  let failure: string | null = null;
  const fail = (reason: string): void => {
    failure ??= reason;
    events.emit('change');
  };
  const started = await Promise.all(
    Array.from({ length: workers }, (_, index) => startChild(testbed, { name: `${name}, worker ${index + 1}`, file })),
  );
  for (const { child } of started) {
    child.on('message', (message: PeerMessage) => {
      if ('error' in message) return fail(message.error);
      stored += message.stored;
      events.emit('change');
    });
    child.once('exit', () => fail('a worker process has ended'));
  }
  return {
    pids: () => started.flatMap(({ child }) => child.pid ?? []),
    async untilStored(rows) {
      const before = stored;
      while (failure === null && stored < before + rows)
        await once(events, 'change', { signal: AbortSignal.timeout(patienceMs) }).catch(() =>
          fail(`${stored - before} of ${rows} rows are committed, and no more for ${patienceMs / 1_000} s`),
        );
      if (failure !== null) throw new Error(`${name}: ${failure}`);
    },
  };
}
