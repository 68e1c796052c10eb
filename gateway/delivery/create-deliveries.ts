import type { Registry } from 'prom-client';
import { createProducerLogger } from '../../producers/core/logger.ts';
import { createPipelineParts, type PipelineParts } from '../../producers/core/pipeline-parts.ts';
import { createProblemLog } from '../../producers/core/problem-log.ts';
import type { BufferLimits } from '../../producers/core/record-buffer.ts';
import { createExecutionMetrics } from '../../producers/executions/execution-metrics.ts';
import { createRequestMetrics } from '../../producers/requests/request-metrics.ts';
import { requestIdOf, shardOfRequest } from '../../producers/requests/request-shard.ts';
import type { QueueName } from '../../shared/contracts/queues.ts';
import type { Logger } from '../../shared/platform/logging/logger.ts';
import type { RedisTarget } from '../../shared/platform/redis/redis-target.ts';
import type { GatewayConfig } from '../gateway-groups.ts';
import { createDelivery } from './delivery.ts';

/** What deliveries work with. */
export interface DeliveryDeps {
  config: GatewayConfig;
  target: RedisTarget;
  logger: Logger;
  registry: Registry;
  /** uniform in [0, 1) */
  random: () => number;
  /** ms since 1970 */
  now: () => number;
}

/** One delivery for each queue, with the metrics that a producer of the SDK has. */
export function createDeliveries(deps: DeliveryDeps) {
  const { registry, config } = deps;
  const { producer, requests: ofRequests } = config;
  const executionMetrics = createExecutionMetrics(registry, () => executions.depth(), producer.metricsMaxSeries);
  const executions = createDelivery(pipelineParts(deps, 'execution-log', producer.buffer), {
    onSent: executionMetrics.sent,
    onRefused: executionMetrics.refused,
    onDropped: (records) => {
      for (let record = 0; record < records; record += 1) executionMetrics.dropped(null, null);
    },
    onSendFailed: executionMetrics.sendFailed,
  });
  const requestMetrics = createRequestMetrics(registry, () => requests);
  const requests = createDelivery(pipelineParts(deps, 'completed-request', ofRequests.buffer), {
    onSendFailed: requestMetrics.sendFailed,
    onWaited: requestMetrics.waited,
  });
  const both = [executions, requests];
  return {
    executions,
    requests,
    executionMetrics,
    /** Redis does not take the records of one of them. */
    isAway: () => both.some((delivery) => delivery.isAway()),

    /** Sends what is there and stops, in `timeoutMs` at most and a moment. @returns whether all of it is in Redis */
    async close(timeoutMs: number): Promise<boolean> {
      const results = await Promise.all(both.map((delivery) => delivery.close(timeoutMs)));
      executionMetrics.close();
      requestMetrics.close(requests.stats());
      return results.every(({ unflushed }) => unflushed === 0);
    },
  };
}

/** The parts of a producer of the SDK. Nothing is written to disk: a sender keeps what was not answered with 202. */
function pipelineParts(
  { config, target, logger, registry, random, now }: DeliveryDeps,
  queue: QueueName,
  buffer: BufferLimits,
): PipelineParts {
  const { namespace, producer } = config;
  const isOfRequests = queue === 'completed-request';
  const settings = { ...producer, spill: { ...producer.spill, dir: null } };
  return createPipelineParts({ registry, random, now }, settings, {
    ...{ target, queue, namespace, buffer, kind: 'gateway' },
    problems: createProblemLog(createProducerLogger(logger, registry), isOfRequests ? 'request' : 'execution'),
    shardOf: isOfRequests ? shardOfRequest : null,
    requestIdOf: isOfRequests ? requestIdOf : null,
    // What waits for room in Redis waits in the buffer, and senders hear of it.
    holdsSuccessesBack: false,
  });
}
