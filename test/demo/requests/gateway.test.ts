import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../demo/random.ts';
import { createGateway } from '../../../demo/requests/gateway.ts';
import { abandoned, type RequestEvent } from '../../../demo/requests/request-events.ts';
import { type BegunRequest, type CompletedRequest, SendAbortedError } from '../../../producers/index.ts';

const event: RequestEvent = {
  atMs: 0,
  contextTokens: 100,
  generatedTokens: 50,
  creator: 1,
  model: 'gpt-5',
  provider: 'openai',
  api: 'openai-responses',
  endpoint: '/v1/responses',
  cachedShare: 0.5,
  reasoningShare: 0,
  hasToolResult: false,
  hasToolCall: false,
  kind: 'plain',
  statusCode: 200,
  isBrokenOff: false,
  durationMs: 5,
  firstTokenMs: 2,
  isRepeated: false,
};

/** A gateway, and what it reports, in order. */
function openGateway(signal = new AbortController().signal) {
  const begun: BegunRequest[] = [];
  const ended: CompletedRequest[] = [];
  const sender = {
    begin: async (request: BegunRequest) => void begun.push(request),
    send: async (request: CompletedRequest) => {
      if (signal.aborted) throw new SendAbortedError(signal, { isAccepted: false });
      ended.push(request);
    },
  };
  const creators = ['north', 'south'];
  return { gateway: createGateway({ sender, creators, random: createRandom(1), signal }), begun, ended };
}

describe('gateway', () => {
  test('gateway: a request is reported once, with bodies of four bytes a token, and belongs to its creator', async () => {
    const { gateway, ended } = openGateway();
    await gateway.handle(event);
    expect(ended).toHaveLength(1);
    const [{ createdBy, requestBody, responseBody } = {}] = ended;
    expect(createdBy).toBe('south');
    expect(JSON.parse(String(requestBody)).input[0].content[0].text).toHaveLength(400);
    expect(JSON.parse(String(responseBody)).output[0].content[0].text).toHaveLength(200);
  });

  test('gateway: a request in the background is reported when it begins and when it has ended', async () => {
    const { gateway, begun, ended } = openGateway();
    await gateway.handle({ ...event, kind: 'background' });
    await gateway.settled();
    expect(begun.map(({ requestId }) => requestId)).toEqual(ended.map(({ requestId }) => requestId));
    expect([...gateway.accounts().sent.values()]).toEqual([{ records: 2, isBegun: true, statusCode: 200 }]);
  });

  test('gateway: streams, abandoned and failed requests are reported as what they are', async () => {
    const { gateway, ended } = openGateway();
    await gateway.handle({ ...event, kind: 'stream', isBrokenOff: true });
    await gateway.handle({ ...event, kind: 'stream', statusCode: abandoned });
    await gateway.handle({ ...event, statusCode: 503 });
    expect(ended).toMatchObject([
      { statusCode: 200, isStream: true, isIncomplete: true },
      { statusCode: 499, isStream: false, isIncomplete: true },
      { statusCode: 503 },
    ]);
  });

  test('gateway: a request that is reported twice is one request of two records', async () => {
    const { gateway, ended } = openGateway();
    await gateway.handle({ ...event, isRepeated: true });
    expect(new Set(ended.map(({ requestId }) => requestId)).size).toBe(1);
    expect(gateway.accounts()).toMatchObject({ reported: 2, rejected: 0 });
    expect([...gateway.accounts().sent.values()]).toEqual([{ records: 2, isBegun: false, statusCode: 200 }]);
  });

  test('gateway: once it is stopped, what finds no room is counted, and the background has no end', async () => {
    const stop = new AbortController();
    const { gateway, begun, ended } = openGateway(stop.signal);
    await gateway.handle({ ...event, kind: 'background', durationMs: 60_000 });
    stop.abort();
    await gateway.handle(event);
    await gateway.settled();
    expect([begun.length, ended.length]).toEqual([1, 0]);
    expect(gateway.accounts()).toMatchObject({ reported: 2, rejected: 1 });
    expect([...gateway.accounts().sent.values()]).toEqual([{ records: 1, isBegun: true, statusCode: null }]);
  });

  test('gateway: a report that the sender refuses is told', async () => {
    const signal = new AbortController().signal;
    const refuse = async () => {
      throw new TypeError('refused');
    };
    const sender = { begin: refuse, send: refuse };
    const gateway = createGateway({ sender, creators: ['north'], random: createRandom(1), signal });
    await expect(gateway.handle(event)).rejects.toThrow('refused');
    await gateway.handle({ ...event, kind: 'background' });
    await expect(gateway.settled()).rejects.toThrow('refused');
  });
});
