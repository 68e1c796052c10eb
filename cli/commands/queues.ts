import { Argument, type Command } from 'commander';
import { countWorkers } from '../../console/server/queues/count-workers.ts';
import { type QueueName, queueNames } from '../../shared/contracts/queues.ts';
import { askShards, partAnswers } from '../../shared/platform/redis/ask-shards.ts';
import { searchShards } from '../../shared/platform/redis/find-shards.ts';
import { ageSeconds, type QueueReading, readQueue, sumReadings } from '../../shared/platform/redis/read-queue.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import type { CommandContext } from '../context.ts';
import { type QueueStatus, toChangeLine, toQueueTable, toUnchangedLine } from '../output/queue-lines.ts';
import { withRedis } from '../servers.ts';
import { changeQueue, type QueueChange } from './queues/change-queue.ts';

const changes: Record<QueueChange, string> = {
  pause: 'stop workers from taking jobs; producers keep adding them',
  resume: 'let workers take jobs again',
  retry: 'move failed jobs back to the queue; records that are already stored are not stored twice',
};

export function addQueuesCommand(program: Command, context: CommandContext): void {
  const command = program.command('queues').description('show, pause, resume and retry the queues of records');
  command
    .command('status')
    .description('show waiting jobs and workers of each queue')
    .option('--shards', 'also show each shard of a queue')
    .option('--json', 'print the result as JSON')
    .action((flags: { shards?: boolean; json?: boolean }) =>
      withRedis(context, 'queues', async (redis, { namespace }) => {
        const { statuses, gaps } = await readStatuses(redis, namespace);
        const shown = flags.shards ? statuses : statuses.map(({ shards: _, ...whole }) => whole);
        context.output.print(shown, flags, toQueueTable);
        if (gaps.length === 0) return;
        context.notes.lines(gaps.map((gap) => `sluice: ${gap}`));
        context.exitWith(1);
      }),
    );
  for (const change of Object.keys(changes) as QueueChange[]) {
    command
      .command(change)
      .description(changes[change])
      .addArgument(new Argument('<queue>', 'name of the queue').choices(queueNames))
      .option('--json', 'print the result as JSON')
      .action((queue: QueueName, flags: { json?: boolean }) =>
        withRedis(context, 'queues', async (redis, { namespace }) => {
          const changed = await changeQueue(redis, { queue, namespace, change });
          context.output.print(changed, flags, () => [toChangeLine(changed)]);
          if (changed.unchanged.length === 0) return;
          context.notes.lines([`sluice: ${toUnchangedLine(changed)}`]);
          context.exitWith(1);
        }),
      );
  }
}

/** A person is waiting. */
const answerWithinMs = 5_000;

interface Statuses {
  statuses: QueueStatus[];
  /** what could not be read, a sentence each */
  gaps: string[];
}

/** @throws Redis' error, if no shard of any queue can be read */
async function readStatuses(redis: Redis, namespace: string): Promise<Statuses> {
  const nowMs = Date.now();
  const read = await Promise.all(
    queueNames.map(async (queue) => {
      const { found, unanswered } = await searchShards(redis, { queue, namespace });
      const [answers, workers] = await Promise.all([
        askShards(found, answerWithinMs, (shard) => readQueue(redis, { queue: shard, namespace })),
        countWorkers(redis, { shards: found, namespace }),
      ]);
      return { queue, workers, unanswered, ...partAnswers(answers) };
    }),
  );
  const [failure] = read.flatMap(({ silent }) => silent);
  if (failure !== undefined && read.every(({ answered }) => answered.length === 0)) throw failure.error;
  return {
    statuses: read.map(({ queue, workers, answered }) => ({
      ...toStatus(queue, sumReadings(answered.map(({ value }) => value)), nowMs),
      pausedShards: answered.filter(({ value }) => value.isPaused).length,
      workers,
      shards: answered.map(({ shard, value }) => toStatus(shard, value, nowMs)),
    })),
    gaps: read.flatMap(({ queue, silent, unanswered }) => [
      ...silent.map(({ shard, error }) => `${shard} is not counted: ${error.message}`),
      ...(unanswered.length === 0
        ? []
        : [`${queue} may have more shards: ${unanswered.length} of them are on servers that do not answer`]),
    ]),
  };
}

function toStatus<Name>(queue: Name, reading: QueueReading, nowMs: number) {
  const { waiting, active, delayed, failed, isPaused, oldestAddedAtMs } = reading;
  const oldestWaitSeconds = ageSeconds(oldestAddedAtMs, nowMs);
  return { queue, paused: isPaused, waiting, active, delayed, failed, oldestWaitSeconds };
}
