import { uuidV7 } from '../../producers/core/uuid-v7.ts';
import {
  abandonedRequest,
  type BegunRequest,
  type CompletedRequest,
  SendAbortedError,
  type SendOptions,
} from '../../producers/index.ts';
import { pause } from '../../shared/platform/deadline.ts';
import { toolInput, toolName, type Usage } from './apis/model-api.ts';
import { modelApis } from './apis/model-apis.ts';
import type { SentUsage } from './price-list.ts';
import { createProse } from './prose.ts';
import type { SentRequest } from './reconcile-requests.ts';
import { toErrorResponse } from './request-bodies.ts';
import { abandoned, type RequestEvent } from './request-events.ts';

const toolResultBytes = 300;
/** About what a tool with its call and its result adds to a request, and the prompt has less. */
const toolBytes = 700;

/** What the model says that it has used: figures that follow from the event alone, whatever the bodies look like. */
function usageOf({ contextTokens, generatedTokens, cachedShare, reasoningShare, api }: RequestEvent): Usage {
  const outputTokens = api === 'openai-embeddings' ? 0 : generatedTokens;
  return {
    inputTokens: contextTokens,
    cachedTokens: Math.floor(contextTokens * cachedShare),
    outputTokens,
    reasoningTokens: Math.floor(outputTokens * reasoningShare),
  };
}

/** An answer that failed, or broke off, does not say what it used. */
function hasUsage({ statusCode, isBrokenOff }: RequestEvent): boolean {
  return statusCode === 200 && !isBrokenOff;
}

/** The part of the SDK's sender that a gateway needs. */
export interface RequestSink {
  begin(request: BegunRequest, options: SendOptions): Promise<void>;
  send(request: CompletedRequest, options: SendOptions): Promise<void>;
}

/** The bytes of English text that one token stands for, about. */
const bytesPerToken = 4;

/**
 * A small model gateway: takes requests, makes up the answers, and reports each request to the sender when it has ended, as a real
 * gateway would. A background request is reported when it starts as well.
 *
 * @param options.random gives 0 <= n < 1, for the texts
 * @param options.signal ends every wait for the sender; a background request then has no end
 */
export function createGateway(options: {
  sender: RequestSink;
  creators: readonly string[];
  random: () => number;
  signal: AbortSignal;
}) {
  const { sender, creators, signal } = options;
  const write = createProse(options.random);
  const sent = new Map<string, SentRequest>();
  const used = new Map<string, SentUsage | null>();
  const underWay = new Set<Promise<void>>();
  let arrived = 0;
  let reported = 0;
  let rejected = 0;
  let failure: unknown = null;

  /** Reports to the sender, and notes what it accepted. Counts what had found no room when the gateway stopped. */
  const report = async (requestId: string, note: (known: SentRequest) => void, send: () => Promise<void>) => {
    reported += 1;
    try {
      await send();
    } catch (error) {
      if (!(error instanceof SendAbortedError)) throw error;
      if (!error.isAccepted) {
        rejected += 1;
        return;
      }
    }
    const known = sent.get(requestId) ?? { records: 0, isBegun: false, statusCode: null };
    known.records += 1;
    note(known);
    sent.set(requestId, known);
  };

  const reportEnd = async (event: RequestEvent, begun: BegunRequest, completedAt: number): Promise<void> => {
    const { model, provider } = event;
    const request = toCompleted(event, begun, completedAt);
    for (let times = event.isRepeated ? 2 : 1; times > 0; times -= 1) {
      await report(
        begun.requestId,
        (known) => {
          known.statusCode = request.statusCode;
          used.set(begun.requestId, hasUsage(event) ? { ...usageOf(event), model, provider } : null);
        },
        () => sender.send(request, { signal }),
      );
    }
  };

  const workInBackground = async (event: RequestEvent, begun: BegunRequest): Promise<void> => {
    // Its caller is told that it is running once that record is in Redis.
    await report(
      begun.requestId,
      (known) => {
        known.isBegun = true;
      },
      () => sender.begin(begun, { durable: true, signal }),
    );
    await pause(event.durationMs, signal);
    if (!signal.aborted) await reportEnd(event, begun, Date.now());
  };

  const toBegun = (
    { creator, model, provider, api, endpoint, kind, contextTokens, hasToolResult }: RequestEvent,
    startedAt: number,
  ): BegunRequest => ({
    requestId: uuidV7(startedAt),
    createdBy: creators[creator % creators.length] ?? '',
    model,
    provider,
    endpoint,
    startedAt,
    requestBody: modelApis[api].toRequest({
      model,
      prompt: write(Math.max(0, contextTokens * bytesPerToken - (hasToolResult ? toolBytes : 0))),
      stream: kind === 'stream',
      background: kind === 'background',
      toolResult: hasToolResult ? write(toolResultBytes) : null,
    }),
  });

  const toCompleted = (event: RequestEvent, begun: BegunRequest, completedAt: number): CompletedRequest => {
    if (event.statusCode === abandoned) return abandonedRequest({ ...begun, completedAt });
    const { generatedTokens, isBrokenOff, kind, model, statusCode, api, hasToolCall, firstTokenMs } = event;
    if (statusCode !== 200) return { ...begun, completedAt, statusCode, responseBody: toErrorResponse(statusCode) };
    const answer = {
      id: begun.requestId,
      model,
      text: write(generatedTokens * bytesPerToken),
      toolCall: hasToolCall ? { name: toolName, input: toolInput } : null,
      usage: usageOf(event),
    };
    const isStream = kind === 'stream';
    const responseBody = isStream
      ? modelApis[api].toStream(answer, { isBrokenOff })
      : modelApis[api].toResponse(answer);
    const firstTokenAt = isStream ? Number(begun.startedAt) + firstTokenMs : null;
    return { ...begun, completedAt, statusCode, responseBody, isStream, isIncomplete: isBrokenOff, firstTokenAt };
  };

  return {
    /** Resolves when the sender has room for the next one. */
    async handle(event: RequestEvent): Promise<void> {
      if (failure !== null) throw failure;
      arrived += 1;
      if (event.kind !== 'background') {
        const endedAt = Date.now();
        return reportEnd(event, toBegun(event, endedAt - event.durationMs), endedAt);
      }
      const work = workInBackground(event, toBegun(event, Date.now()))
        .catch((error: unknown) => {
          failure = error;
        })
        .finally(() => underWay.delete(work));
      underWay.add(work);
    },

    /** Resolves when all background requests have ended. @throws the error that kept one from being reported */
    async settled(): Promise<void> {
      await Promise.all(underWay);
      if (failure !== null) throw failure;
    },

    /** requests so far */
    arrived: () => arrived,
    /** what was reported: all records, those that had found no room when the gateway stopped, and each request's own */
    accounts: () => ({ reported, rejected, sent: sent as ReadonlyMap<string, SentRequest> }),
    /** what each request that has ended used; null: it does not say */
    used: used as ReadonlyMap<string, SentUsage | null>,
  };
}
