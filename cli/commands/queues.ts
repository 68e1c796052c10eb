import { Argument, type Command } from 'commander';
import { countWorkers } from '../../console/server/queues/count-workers.ts';
import { readQueueFacts } from '../../queries/queues/queue-facts.ts';
import { type QueueName, queueNames } from '../../shared/contracts/queues.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import type { CommandContext } from '../context.ts';
import { type QueueStatus, toChangeLine, toQueueTable } from '../output/queue-lines.ts';
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
    .option('--json', 'print the result as JSON')
    .action((flags: { json?: boolean }) =>
      withRedis(context, 'queues', async (redis, { namespace }) => {
        const statuses = await readStatuses(redis, namespace);
        context.output.print(statuses, flags, toQueueTable);
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
        }),
      );
  }
}

async function readStatuses(redis: Redis, namespace: string): Promise<QueueStatus[]> {
  const workers = await countWorkers(redis, namespace);
  return Promise.all(
    queueNames.map(async (queue) => {
      const facts = await readQueueFacts(redis, { queue, namespace, nowMs: Date.now() });
      const { waiting, active, delayed, failed, oldestWaitSeconds, paused } = facts;
      return { queue, paused, waiting, active, delayed, failed, oldestWaitSeconds, workers: workers[queue] };
    }),
  );
}
