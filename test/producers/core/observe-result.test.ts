import { once } from 'node:events';
import { createServer, get, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough, Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Execution } from '../../../producers/executions/execution.ts';
import { type ExecutionRun, withExecution } from '../../../producers/executions/with-execution.ts';
import { until } from '../../support/fixtures.ts';

const subject = { strategyId: 's', strategyVersion: 1, strategyType: 'DSL_FULL' };

function observed() {
  const records: Execution[] = [];
  return {
    records,
    /** status and error of each record */
    get ends() {
      return records.map(({ status, errorCode, errorMessage }) => [status, errorCode, errorMessage]);
    },
    run: <T>(work: (run: ExecutionRun) => T): T =>
      withExecution({ record: (execution) => records.push(execution) }, subject, work),
  };
}

const ok = [['ok', undefined, undefined]];
const givenUp = [['cancelled', 'DSL_CANCELLED', 'the result was given up before its end']];
const broken = [['error', 'DSL_UNEXPECTED', 'broken']];

test('generator: its run ends with it, and what goes in and out is the same', () => {
  const o = observed();
  const generator = o.run(function* (run) {
    const sent: string = yield 1;
    run.trace.push({ nodeId: sent, type: 't', value: 2 });
    yield 2;
    return 'end';
  } as (run: ExecutionRun) => Generator<number, string, string>);
  expect(generator.next('')).toEqual({ value: 1, done: false });
  expect(generator.next('n1')).toEqual({ value: 2, done: false });
  expect(o.records).toEqual([]);
  expect(generator.next('')).toEqual({ value: 'end', done: true });
  expect(generator.next('')).toEqual({ value: undefined, done: true });
  expect(o.ends).toEqual(ok);
  expect(o.records[0]?.trace).toEqual([{ nodeId: 'n1', type: 't', value: 2 }]);
});

test('generator: it may be spread, looped over and asked for its kind', () => {
  const o = observed();
  const two = () =>
    o.run(function* () {
      yield 1;
      yield 2;
    });
  expect([...two()]).toEqual([1, 2]);
  expect(Object.prototype.toString.call(two())).toBe('[object Generator]');
  expect(o.ends).toEqual(ok);
});

test('generator: one that throws is a failure, also when it is thrown into it', () => {
  const o = observed();
  const failing = o.run(function* () {
    yield 1;
    throw new Error('broken');
  });
  expect(() => [...failing]).toThrow('broken');
  const innocent = o.run(function* () {
    yield 1;
  });
  innocent.next();
  expect(() => innocent.throw(new Error('broken'))).toThrow('broken');
  expect(o.ends).toEqual([...broken, ...broken]);
});

test('generator: one that is given up is cancelled, and closes what it has open; before its first step, too', () => {
  const o = observed();
  let isClosed = false;
  const begun = o.run(function* () {
    try {
      yield 1;
      yield 2;
    } finally {
      isClosed = true;
    }
  });
  for (const value of begun) if (value === 1) break;
  expect(isClosed).toBe(true);
  o.run(function* () {
    yield 1;
  }).return();
  expect(o.ends).toEqual([...givenUp, ...givenUp]);
});

test('async generator: it ends, fails or is given up', async () => {
  const o = observed();
  const ticks = (fails: boolean) =>
    o.run(async function* () {
      yield 'a';
      yield 'b';
      if (fails) throw new Error('broken');
    });
  const read: string[] = [];
  for await (const value of ticks(false)) read.push(value);
  expect(read).toEqual(['a', 'b']);
  await expect(text(Readable.from(ticks(true)))).rejects.toThrow('broken');
  for await (const value of ticks(false)) if (value === 'a') break;
  // A stream that is destroyed before anybody has read of it.
  const unread = Readable.from(ticks(false)).destroy();
  await once(unread, 'close');
  await until(() => o.records.length === 4);
  expect(o.ends).toEqual([...ok, ...broken, ...givenUp, ...givenUp]);
});

function webStream(fails = false): ReadableStream<string> {
  let n = 0;
  return new ReadableStream({
    pull(controller) {
      n += 1;
      if (n <= 2) return controller.enqueue(`part ${n};`);
      if (fails) throw new Error('broken');
      controller.close();
    },
  });
}

test('web stream: its run ends with its last part, with its failure, or when it is given up', async () => {
  const o = observed();
  expect(await text(o.run(() => webStream()))).toBe('part 1;part 2;');
  await expect(text(o.run(() => webStream(true)))).rejects.toThrow('broken');
  await o.run(() => webStream()).cancel('gone');
  expect(o.ends).toEqual([...ok, ...broken, ...givenUp]);
});

test('web stream: the reason for giving it up reaches its source', async () => {
  const o = observed();
  const reasons: unknown[] = [];
  const stream = o.run(() => new ReadableStream({ cancel: (reason) => void reasons.push(reason) }));
  await stream.cancel('gone');
  expect(reasons).toEqual(['gone']);
});

test('web stream: one that somebody reads already is a value', async () => {
  const o = observed();
  const stream = webStream();
  const reader = stream.getReader();
  expect(o.run(() => stream)).toBe(stream);
  await reader.cancel();
  expect(o.ends).toEqual(ok);
});

test('Response: its run ends with its body, and status and headers are the same', async () => {
  const o = observed();
  const answer = await o.run(
    async () => new Response(webStream().pipeThrough(new TextEncoderStream()), { status: 201, headers: { a: 'b' } }),
  );
  expect([answer.status, answer.headers.get('a'), o.records.length]).toEqual([201, 'b', 0]);
  expect(await answer.text()).toBe('part 1;part 2;');
  const empty = new Response(null, { status: 204 });
  expect(o.run(() => empty)).toBe(empty);
  expect(o.ends).toEqual([...ok, ...ok]);
});

test('stream of Node: it is handed on as it is, and its run ends when it is closed', async () => {
  const o = observed();
  const readable = Readable.from(['a', 'b']);
  expect(o.run(() => readable)).toBe(readable);
  expect(await text(readable)).toBe('ab');
  await until(() => o.records.length === 1);
  const writable = new Writable({ write: (_part, _encoding, done) => done() });
  await pipeline(
    Readable.from(['a']),
    o.run(() => writable),
  );
  await until(() => o.records.length === 2);
  const given = o.run(() => new PassThrough());
  given.destroy();
  await until(() => o.records.length === 3);
  const failing = o.run(() => new PassThrough());
  failing.on('error', () => undefined);
  failing.destroy(new Error('broken'));
  await until(() => o.records.length === 4);
  expect(o.ends).toEqual([...ok, ...ok, ...givenUp, ...broken]);
});

test('stream of Node: one that is closed already has ended', async () => {
  const o = observed();
  const readable = Readable.from(['a']);
  await text(readable);
  await until(() => readable.closed);
  o.run(() => readable);
  expect(o.ends).toEqual(ok);
});

test('stream of Node: an error that nobody handles is still an uncaught one', () => {
  const o = observed();
  const stream = o.run(() => new PassThrough());
  expect(stream.listenerCount('error')).toBe(0);
});

/** A server that answers each request with a run of the handler. */
async function serve(handle: (response: ServerResponse) => ServerResponse): Promise<number> {
  const server = createServer((_request, response) => void handle(response)).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test('response of a server: its run ends when the answer is sent, and when the client goes away', async () => {
  const o = observed();
  const port = await serve((response) =>
    o.run((run) => {
      run.points = 3;
      response.setHeader('content-type', 'text/event-stream').write('data: 1\n\n');
      if (o.records.length === 0) setImmediate(() => response.end());
      return response;
    }),
  );
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('data: 1\n\n');
  await until(() => o.records.length === 1);
  const request = get({ port, host: '127.0.0.1' });
  request.on('error', () => undefined);
  const [answer] = await once(request, 'response');
  await once(answer, 'data');
  request.destroy();
  await until(() => o.records.length === 2);
  expect(o.ends).toEqual([...ok, ...givenUp]);
  expect(o.records.map(({ points }) => points)).toEqual([3, null]);
});

test('run: a failure that was set instead of thrown counts as thrown', async () => {
  const o = observed();
  expect(o.run((run) => Object.assign(run, { failure: new Error('broken') }) && 5)).toBe(5);
  await o.run(async (run) => {
    run.failure = new Error('broken');
  });
  expect(o.ends).toEqual([...broken, ...broken]);
});

test('run: things that merely look like one of these are values', () => {
  const o = observed();
  for (const value of [
    [1].values(),
    new Map().entries(),
    { pipe: 1 },
    { getReader: () => 1 },
    { body: {}, headers: 1, status: 1 },
  ])
    expect(o.run(() => value)).toBe(value);
  expect(o.records).toHaveLength(5);
});

test('response: one that was fetched, one of a framework’s class and one that was read are left as they are, and counted at once', async () => {
  const server = createServer((_, response) => response.end('said'));
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  class FrameworkResponse extends Response {
    readonly cookies = 'theirs';
  }
  const read = new Response('said');
  await read.text();
  const odd = { status: 'ok', headers: {}, body: new ReadableStream() };
  for (const response of [await fetch(url), new FrameworkResponse('said'), read, odd, process.stdout]) {
    const o = observed();
    expect(o.run(() => response)).toBe(response);
    expect(o.ends).toEqual(ok);
  }
});

test('web stream: one that somebody has read from is left as it is, and counted at once', async () => {
  const stream = new Blob(['said']).stream();
  await text(stream);
  const o = observed();
  expect(o.run(() => stream)).toBe(stream);
  expect(o.ends).toEqual(ok);
});
