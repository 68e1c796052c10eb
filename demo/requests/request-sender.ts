import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { createCompletedRequestSender, SendAbortedError, type SendOptions } from '../../producers/index.ts';
import type { Config } from '../../shared/platform/config/config.ts';
import { unlessAborted } from '../../shared/platform/deadline.ts';
import { type GatewayRoute, type SenderCounts, senderName } from '../senders/gateway-route.ts';
import { createNdjsonPoster } from '../senders/ndjson-poster.ts';
import { startPythonProcess } from '../senders/python-process.ts';
import { sendBody } from '../senders/send-body.ts';
import type { RequestSink } from './gateway.ts';

/** What a model gateway reports its requests to. */
export interface RequestSender extends RequestSink {
  name: string;
  counts(): SenderCounts;
  /** accepted and not known to be in Redis */
  buffered(): number;
  /** Sends what there is, and stops. */
  close(timeoutMs: number): Promise<void>;
}

/** What the model gateway removes from request bodies: how to process a request is not part of the question. */
const stripRequestKeys = ['service_tier', 'background'];

/** The SDK in this process. */
export function createSdkSender(config: Config, name: string): RequestSender {
  const sender = createCompletedRequestSender({
    redis: config.redis,
    namespace: config.namespace,
    requests: config.requests,
    producer: { ...config.producer, name },
    stripRequestKeys,
    registry: new Registry(),
  });
  return {
    name: 'SDK',
    begin: (request, options) => sender.begin(request, options),
    send: (request, options) => sender.send(request, options),
    counts() {
      const { dropped, rejected } = sender.stats();
      return { dropped, refused: rejected, inDoubt: 0 };
    },
    buffered: () => sender.depth().records,
    close: async (timeoutMs) => void (await sender.close({ timeoutMs })),
  };
}

export function createGatewaySender(route: GatewayRoute): RequestSender {
  return route.python === null ? createFetchSender(route) : createPythonSender({ ...route, python: route.python });
}

/** What stats() of the client for Python says, of records. */
interface PythonStats {
  rejected: number;
  dropped: number;
  in_doubt: number;
}

/** What the process prints: that a call has ended, or, at its own end, what became of all. */
interface PythonLine {
  call?: number;
  error?: string;
  stats?: PythonStats;
}

function createPythonSender(route: GatewayRoute & { python: string }): RequestSender {
  const calls = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  let number = 0;
  let stats: PythonStats | null = null;
  const service = startPythonProcess({
    route,
    kind: 'requests',
    onLine(line) {
      const said = line as PythonLine;
      stats = said.stats ?? stats;
      const call = calls.get(said.call ?? 0);
      calls.delete(said.call ?? 0);
      if (said.error === undefined) call?.resolve();
      else call?.reject(new Error(said.error));
    },
  });
  service.ended.catch((error: Error) => {
    for (const call of calls.values()) call.reject(error);
    calls.clear();
  });
  /** What it was told stays with it, whatever the signal says. */
  const call = (begin: boolean, request: object, { signal }: SendOptions): Promise<void> => {
    number += 1;
    const answered = new Promise<void>((resolve, reject) => calls.set(number, { resolve, reject }));
    service.tell({ number, begin, request });
    if (signal == null) return answered;
    return unlessAborted(
      signal,
      () => answered,
      () => new SendAbortedError(signal, { isAccepted: true }),
    );
  };
  return {
    name: senderName(route),
    begin: (request, options) => call(true, request, options),
    send: (request, options) => call(false, request, options),
    counts: () => ({ dropped: stats?.dropped ?? 0, refused: stats?.rejected ?? 0, inDoubt: stats?.in_doubt ?? 0 }),
    buffered: () => calls.size,
    close: async (timeoutMs) => (timeoutMs > 0 ? service.end() : service.kill()),
  };
}

/** So many may wait before the model gateway waits. */
const mostBuffered = 1_000;
const lookForRoomEveryMs = 5;

function createFetchSender(route: GatewayRoute): RequestSender {
  const poster = createNdjsonPoster(route, '/v1/requests');
  const ofBegun: SenderCounts = { dropped: 0, refused: 0, inDoubt: 0 };
  return {
    name: senderName(route),
    async begin(request, { signal }) {
      const path = `/v1/requests/${request.requestId}/begin`;
      const never = new AbortController().signal;
      const taken = await sendBody(route, { method: 'PUT', path, body: JSON.stringify(request) }, signal ?? never);
      if (taken === null) ofBegun.inDoubt += 1;
      else ofBegun.refused += taken.rejected;
    },
    async send(request, { signal }) {
      while (poster.buffered() >= mostBuffered && !signal?.aborted) await sleep(lookForRoomEveryMs);
      if (signal?.aborted) throw new SendAbortedError(signal, { isAccepted: false });
      poster.add(request);
    },
    counts: () => ({
      dropped: poster.counts.dropped,
      refused: poster.counts.refused + ofBegun.refused,
      inDoubt: poster.counts.inDoubt + ofBegun.inDoubt,
    }),
    buffered: poster.buffered,
    close: poster.close,
  };
}
