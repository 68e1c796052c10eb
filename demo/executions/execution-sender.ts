import { Registry } from 'prom-client';
import { uuidV7 } from '../../producers/core/uuid-v7.ts';
import { createExecutionObserver, type Execution, type ExecutionSink } from '../../producers/index.ts';
import type { Config } from '../../shared/platform/config/config.ts';
import { createRandom } from '../random.ts';
import { type GatewayRoute, type SenderCounts, senderName } from '../senders/gateway-route.ts';
import { createNdjsonPoster } from '../senders/ndjson-poster.ts';
import { startPythonProcess } from '../senders/python-process.ts';

/** What became of the executions that a sender was given. */
export interface ExecutionCounts extends SenderCounts {
  recorded: number;
  sampledOut: number;
  /** recorded while nothing is stored */
  disabled: number;
}

/** What a scoring service reports its runs to. */
export interface ExecutionSender extends ExecutionSink {
  name: string;
  counts(): ExecutionCounts;
  /** records that are not known to be in Redis */
  buffered(): number;
  /** Sends what there is, and stops. */
  close(timeoutMs: number): Promise<void>;
}

/** The SDK in this process. */
export function createSdkSender(config: Config, sampleRate: number, name: string): ExecutionSender {
  const observer = createExecutionObserver({
    redis: config.redis,
    namespace: config.namespace,
    producer: { ...config.producer, sampleRate, name },
    registry: new Registry(),
  });
  return {
    name: 'SDK',
    record: (execution) => observer.record(execution),
    counts() {
      const { recorded, sampledOut, disabled, dropped, refused } = observer.stats();
      return { recorded, sampledOut, disabled, dropped, refused, inDoubt: 0 };
    },
    buffered: () => observer.depth().records,
    close: async (timeoutMs) => void (await observer.close({ timeoutMs })),
  };
}

export interface GatewaySenderOptions {
  sampleRate: number;
  /** entries of a trace to keep */
  traceLimit: number;
  /** of what is sampled */
  seed: number;
}

export function createGatewaySender(route: GatewayRoute, options: GatewaySenderOptions): ExecutionSender {
  return route.python === null
    ? createFetchSender(route, options)
    : createPythonSender({ ...route, python: route.python }, options);
}

/** What stats() of the client for Python says. */
interface PythonStats {
  recorded: number;
  sampled_out: number;
  disabled: number;
  dropped: number;
  refused: number;
  in_doubt: number;
  buffered: number;
}

function createPythonSender(
  route: GatewayRoute & { python: string },
  { sampleRate, traceLimit }: GatewaySenderOptions,
): ExecutionSender {
  let recorded = 0;
  let stats: PythonStats | null = null;
  const service = startPythonProcess({
    route,
    kind: 'executions',
    environment: {
      DSL_EXECUTION_LOG_SAMPLE_RATE: String(sampleRate),
      DSL_EXECUTION_LOG_TRACE_LIMIT: String(traceLimit),
    },
    onLine(line) {
      stats = line as PythonStats;
    },
  });
  return {
    name: senderName(route),
    record(execution) {
      recorded += 1;
      service.tell(execution);
    },
    counts: () => ({
      recorded,
      sampledOut: stats?.sampled_out ?? 0,
      disabled: stats?.disabled ?? 0,
      dropped: stats?.dropped ?? 0,
      refused: stats?.refused ?? 0,
      inDoubt: stats?.in_doubt ?? 0,
    }),
    buffered: () => recorded - (stats?.recorded ?? 0) + (stats?.buffered ?? 0),
    close: async (timeoutMs) => (timeoutMs > 0 ? service.end() : service.kill()),
  };
}

/** Samples by itself and says at which rate, as a service without a client of Sluice may do. */
function createFetchSender(
  route: GatewayRoute,
  { sampleRate, traceLimit, seed }: GatewaySenderOptions,
): ExecutionSender {
  const random = createRandom(seed);
  const poster = createNdjsonPoster(route, '/v1/executions');
  let recorded = 0;
  let sampledOut = 0;
  return {
    name: senderName(route),
    record(execution) {
      recorded += 1;
      if (execution.status === 'ok' && !(random() < sampleRate)) {
        sampledOut += 1;
        return;
      }
      const ownRate = execution.status === 'ok' ? sampleRate : 1;
      poster.add({ ...execution, ...cutTrace(execution, traceLimit), id: uuidV7(Date.now()), sampleRate: ownRate });
    },
    counts: () => ({ recorded, sampledOut, disabled: 0, ...poster.counts }),
    buffered: poster.buffered,
    close: poster.close,
  };
}

/** Head and tail of a trace that is longer than the gateway need be sent. */
function cutTrace({ trace }: Execution, limit: number): Pick<Execution, 'trace'> & { traceLength?: number } {
  if (trace == null || limit <= 0 || trace.length <= limit) return {};
  const tail = Math.floor(limit / 2);
  return { trace: [...trace.slice(0, limit - tail), ...trace.slice(trace.length - tail)], traceLength: trace.length };
}
