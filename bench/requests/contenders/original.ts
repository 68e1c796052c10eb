import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Contender } from '../../contenders/contender.ts';
import type { Testbed } from '../../testbed.ts';
import type { Completion, RequestRows } from '../request-rows.ts';
import { createBoundedChannel } from './bounded-channel.ts';
import { persistCompleted } from './persist-completed.ts';

const channelCapacity = 10_000;
const batchSize = 100;

/** A gateway handles one request at a time, and the writer works in between. */
const requestsPerTurn = 100;

/**
 * The design of the Rust original: no queue, one writer task in the gateway's own process, batches of at most 100 of the waiting
 * items, one flush at a time, one transaction for each. What it holds is lost with its process.
 */
export async function createOriginal(testbed: Testbed): Promise<Contender<RequestRows>> {
  const client = await testbed.connect('the connection of the original');
  return {
    name: "the original's design, in process",
    share: 1,
    workerPids: () => [],
    async store(rows, count) {
      const channel = createBoundedChannel<Completion>(channelCapacity);
      const write = async (): Promise<void> => {
        for (let left = count; left > 0; ) {
          const batch = await channel.receive(batchSize);
          await persistCompleted(client, batch);
          left -= batch.length;
        }
      };
      const writing = write();
      for (let index = 0; index < count; index += 1) {
        await Promise.race([channel.send(rows.record(index)), writing]);
        if (index % requestsPerTurn === 0) await nextTurn();
      }
      await writing;
    },
  };
}
