import { Gauge, type Registry } from 'prom-client';
import type { QueueName } from '../../shared/contracts/queues.ts';
import { joinMetrics } from './shared-metrics.ts';

/**
 * Adds the shards of one queue to the metrics, which all producers of a registry share. With one shard there are none.
 *
 * @param leftAlone read at each scrape
 * @throws Error when the registry already has a metric of the same name from other code
 */
export function createShardMetrics(registry: Registry, queue: QueueName, leftAlone: () => number) {
  const { state: queues, leave } = joinMetrics(registry, 'shards', (registers) => {
    const made = new Map<QueueName, Set<() => number>>();
    new Gauge({
      name: 'sluice_producer_shards_left_alone',
      help: 'Shards that producers send nothing to for now, because they or their server did not take what was sent last, or others have more room; the sum over all producers of the process. Not served with one shard',
      labelNames: ['queue'],
      registers,
      collect() {
        for (const [name, producers] of made) {
          let sum = 0;
          for (const one of producers) sum += one();
          this.set({ queue: name }, sum);
        }
      },
    });
    return made;
  });
  const producers = queues.get(queue) ?? new Set();
  queues.set(queue, producers);
  producers.add(leftAlone);
  return {
    /** Removes the metrics, unless another producer of the registry still uses them. */
    close(): void {
      producers.delete(leftAlone);
      leave();
    },
  };
}
