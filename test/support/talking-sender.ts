import { pause } from '../../shared/platform/deadline.ts';
import { anInput, aRequestInput, ndjson } from './a-gateway.ts';
import { aJsonSpan, anExport, modelRequest } from './otlp.ts';

/** A sender of every kind of body, good and bad, and what it is told. */
export interface TalkingSender {
  /** all answers so far, with their headers */
  answers: string[];
  /** whether each kind of body was answered since then */
  round(): Promise<void>;
  stop(): Promise<void>;
}

/** Sends to a gateway all the time. `marker` is in all that nobody but Redis may be told. */
export function startTalkingSender(url: string, { token, marker }: { token: string; marker: string }): TalkingSender {
  const answers: string[] = [];
  const stopping = new AbortController();
  let rounds = 0;
  let nextRound = Promise.withResolvers<void>();

  const execution = anInput({ status: 'error', errorMessage: marker, input: { marker }, externalUserId: marker });
  const request = aRequestInput({ requestBody: marker, responseBody: marker, apiKey: marker, createdBy: marker });
  const json = { 'content-type': 'application/json' };
  const sendings: [path: string, body: string, headers: Record<string, string>][] = [
    ['/v1/executions', JSON.stringify(execution), json],
    ['/v1/executions?sample=true', ndjson([execution, { ...execution, strategyId: [marker] }]), {}],
    ['/v1/executions', `{"strategyId":"${marker}"`, json],
    ['/v1/executions', JSON.stringify({ ...execution, durationMs: marker }), json],
    ['/v1/executions', marker, { ...json, 'content-encoding': 'gzip' }],
    ['/v1/executions', JSON.stringify(execution), { ...json, authorization: `Bearer ${marker}-wrong` }],
    ['/v1/executions', JSON.stringify(execution), { ...json, 'idempotency-key': marker }],
    ['/v1/executions', JSON.stringify(execution), { 'content-type': `text/${marker}` }],
    ['/v1/requests', JSON.stringify([request, { ...request, startedAt: marker }]), json],
    ['/v1/requests', JSON.stringify({ ...request, requestBody: `${marker}!`, requestEncoding: 'base64' }), json],
    ['/v1/traces', JSON.stringify(anExport([aJsonSpan({ ...modelRequest, 'gen_ai.input.messages': marker })])), json],
    ['/v1/traces', marker, { 'content-type': 'application/x-protobuf' }],
    [`/v1/${marker}?token=${marker}`, marker, json],
  ];

  const send = async ([path, body, headers]: (typeof sendings)[number]): Promise<void> => {
    try {
      const answer = await fetch(url + path, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/x-ndjson', authorization: `Bearer ${token}`, ...headers },
        signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(20_000)]),
      });
      answers.push(JSON.stringify([answer.status, ...answer.headers, await answer.text()]));
    } catch {
      // It stops, or the gateway has ended.
    }
  };
  const talking = (async () => {
    while (!stopping.signal.aborted) {
      await Promise.all(sendings.map(send));
      rounds += 1;
      nextRound.resolve();
      nextRound = Promise.withResolvers();
      await pause(50, stopping.signal);
    }
  })();

  return {
    answers,
    async round() {
      const begunWith = rounds;
      // The one that is under way has begun before.
      while (rounds < begunWith + 2) await nextRound.promise;
    },
    async stop() {
      stopping.abort();
      await talking;
    },
  };
}
