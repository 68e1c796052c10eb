import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecordLostError, RecordTooLargeError, SenderClosedError } from '../../../producers/index.ts';
import { createDirectory, until } from '../../support/fixtures.ts';
import { recordsOf } from '../../support/records-of.ts';
import { aRequest } from '../../support/request.ts';
import { aFailingTransport, aGatedTransport, aSender, outcomeOf } from '../../support/request-sender.ts';
import { filesIn } from '../../support/spill.ts';

const idsOf = (records: readonly { requestId: string }[]) => records.map(({ requestId }) => requestId);

/** Requests that can be told apart, in the order of their ids. */
const someRequests = (count: number, bodyBytes = 10) =>
  Array.from({ length: count }, (_, index) =>
    aRequest({
      requestId: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      responseBody: 'x'.repeat(bodyBytes),
    }),
  );

test('send: resolves when the record is in the buffer, and not only when Redis has it', async () => {
  const transport = aGatedTransport({ isOpen: false });
  const { sender } = aSender({ transport });
  await sender.send(aRequest());
  expect(sender.depth().records).toBe(1);
  expect(sender.stats()).toMatchObject({ accepted: 1, sent: 0, waiting: 0 });
  transport.open();
  expect(await sender.flush()).toEqual({ flushed: 1, unflushed: 0, spilled: 0 });
  expect(sender.depth()).toEqual({ records: 0, bytes: 0 });
});

test('send: waits while the records are full, and goes on when Redis has some of them', async () => {
  const transport = aGatedTransport({ isOpen: false });
  const { sender, value } = aSender({ transport, bufferRecords: 2 });
  await sender.send(aRequest());
  await sender.send(aRequest());
  const waiting = sender.send(aRequest());
  expect(await outcomeOf(waiting)).toBe('pending');
  expect(sender.stats()).toMatchObject({ accepted: 2, waiting: 1 });
  expect(sender.depth().records).toBe(2);
  expect(await value('sluice_request_sends_waiting')).toBe(1);
  expect(await value('sluice_request_send_waits_total')).toBe(1);
  transport.open();
  await waiting;
  await sender.flush();
  expect(sender.stats()).toMatchObject({ accepted: 3, sent: 3, waiting: 0 });
  expect(await value('sluice_request_send_waits_total')).toBe(1);
  expect(await value('sluice_request_send_wait_seconds_count')).toBe(1);
  expect(await value('sluice_requests_sent_total', { result: 'accepted' })).toBe(3);
  expect(await value('sluice_request_records_total', { outcome: 'sent' })).toBe(3);
});

test('send: waits while the bytes are full', async () => {
  const transport = aGatedTransport({ isOpen: false });
  const { sender } = aSender({ transport, bufferBytes: 10_000 });
  await sender.send(aRequest({ responseBody: 'x'.repeat(6_000) }));
  const waiting = sender.send(aRequest({ responseBody: 'x'.repeat(6_000) }));
  expect(await outcomeOf(waiting)).toBe('pending');
  expect(sender.depth().bytes).toBeLessThanOrEqual(10_000);
  transport.open();
  await waiting;
});

test('send: those who wait are let in in the order of their calls, also when a later one is smaller', async () => {
  const transport = aGatedTransport({ isOpen: false });
  const { sender } = aSender({ transport, bufferBytes: 10_000 });
  const requests = [8_000, 9_000, 10, 3_000, 10].map((bytes, index) => ({
    ...(someRequests(index + 1).at(-1) as ReturnType<typeof aRequest>),
    responseBody: 'x'.repeat(bytes),
  }));
  const sends = requests.map((request) => sender.send(request));
  expect(sender.stats()).toMatchObject({ accepted: 1, waiting: 4 });
  transport.open();
  await Promise.all(sends);
  await sender.flush();
  expect(idsOf(transport.records)).toEqual(idsOf(requests));
});

test('send: a thousand that wait all get in, over more than one turn of the event loop', async () => {
  const transport = aGatedTransport({ isOpen: false });
  const { sender } = aSender({ transport, bufferRecords: 300, chunkRecords: 50 });
  const requests = someRequests(1_300, 20_000);
  const sends = requests.map((request) => sender.send(request));
  expect(sender.stats()).toMatchObject({ accepted: 300, waiting: 1_000 });
  transport.open();
  expect(await sender.flush()).toMatchObject({ flushed: 1_300, unflushed: 0 });
  await Promise.all(sends);
  expect(idsOf(transport.records)).toEqual(idsOf(requests));
});

test('send: one that is aborted while it waits is not accepted, and holds up nobody behind it', async () => {
  const transport = aGatedTransport({ isOpen: false });
  const { sender } = aSender({ transport, bufferBytes: 10_000 });
  await sender.send(aRequest({ responseBody: 'x'.repeat(5_000) }));
  const abort = new AbortController();
  const large = sender.send(aRequest({ responseBody: 'x'.repeat(9_000) }), { signal: abort.signal });
  const small = sender.send(aRequest());
  expect(await outcomeOf(small)).toBe('pending');
  abort.abort(new Error('the caller has no more time'));
  await expect(large).rejects.toMatchObject({
    name: 'AbortError',
    isAccepted: false,
    cause: new Error('the caller has no more time'),
  });
  await small;
  expect(sender.stats()).toMatchObject({ accepted: 2, aborted: 1, waiting: 0 });
});

test('send: a signal that was aborted before is as good as one that aborts now', async () => {
  const { sender } = aSender({ transport: aGatedTransport() });
  await expect(sender.send(aRequest(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  expect(sender.stats()).toMatchObject({ accepted: 0, aborted: 1 });
});

test('send: a signal that aborts after the record was accepted changes nothing', async () => {
  const transport = aGatedTransport({ isOpen: false });
  const { sender } = aSender({ transport });
  const abort = new AbortController();
  await sender.send(aRequest(), { signal: abort.signal });
  abort.abort();
  transport.open();
  expect(await sender.flush()).toMatchObject({ flushed: 1 });
});

test('send: thousands may wait on one signal, and leave no listener behind', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  const transport = aGatedTransport({ isOpen: false });
  const { sender } = aSender({ transport, bufferRecords: 1 });
  const { signal } = new AbortController();
  const sends = someRequests(2_000).map((request) => sender.send(request, { signal, durable: true }));
  expect(await outcomeOf(Promise.all(sends))).toBe('pending');
  transport.open();
  await Promise.all(sends);
  expect(warnings).toEqual([]);
  process.off('warning', onWarning);
});

test('send: what gives up during an outage leaves nothing behind, whoever comes after it', async () => {
  const transport = aGatedTransport({ isOpen: false });
  const { sender } = aSender({ transport, bufferRecords: 1 });
  await sender.send(aRequest());
  const patient = sender.send(aRequest());
  for (let call = 0; call < 5_000; call += 1) {
    const abort = new AbortController();
    const hasty = sender.send(aRequest(), { signal: abort.signal });
    abort.abort();
    await expect(hasty).rejects.toThrow('before there was room');
  }
  expect(sender.stats()).toMatchObject({ accepted: 1, aborted: 5_000, waiting: 1 });
  transport.open();
  await patient;
});

test('send: a record larger than the whole buffer is refused at once, or when it is written', async () => {
  const { sender } = aSender({ transport: aGatedTransport(), bufferBytes: 10_000 });
  await expect(sender.send(aRequest({ responseBody: 'x'.repeat(20_000) }))).rejects.toThrow(RecordTooLargeError);
  // Each of these becomes six bytes of JSON.
  await expect(sender.send(aRequest({ responseBody: '\x01'.repeat(3_000) }))).rejects.toThrow(/the whole buffer 10000/);
  expect(() => sender.trySend(aRequest({ responseBody: '\x01'.repeat(3_000) }))).toThrow(RecordTooLargeError);
  expect(sender.stats()).toMatchObject({ accepted: 0, refused: 3 });
  await sender.send(aRequest());
});

test('send: one that turns out too large when its turn comes is refused, and the next one is let in', async () => {
  const transport = aGatedTransport({ isOpen: false });
  const { sender } = aSender({ transport, bufferBytes: 10_000, bufferRecords: 1 });
  await sender.send(aRequest());
  const tooLarge = sender.send(aRequest({ responseBody: '\x01'.repeat(3_000) }));
  const behind = sender.send(aRequest());
  const refused = expect(tooLarge).rejects.toThrow(RecordTooLargeError);
  transport.open();
  await refused;
  await behind;
});

test('send: what is no record is refused with the field and the remedy', async () => {
  const { sender, value } = aSender({ transport: aGatedTransport() });
  for (const [request, message] of [
    [null, /the request is null; give an object/],
    ['text', /the request is string; give an object/],
    [aRequest({ requestId: 'r-1' }), /requestId is "r-1"; give a UUID/],
    [aRequest({ createdBy: ' ' }), /createdBy is blank; give the id of the person/],
  ] as const) {
    const refused = sender.send(request as never);
    await expect(refused).rejects.toThrow(TypeError);
    await expect(refused).rejects.toThrow(message);
    expect(() => sender.trySend(request as never)).toThrow(message);
    await expect(sender.begin(request as never)).rejects.toThrow(message);
  }
  expect(sender.stats()).toMatchObject({ accepted: 0, refused: 12 });
  expect(await value('sluice_requests_sent_total', { result: 'refused' })).toBe(12);
});

test('trySend: true with room, false without, and false while others wait, also when it would fit', async () => {
  const transport = aGatedTransport({ isOpen: false });
  const { sender } = aSender({ transport, bufferBytes: 10_000 });
  expect(sender.trySend(aRequest({ responseBody: 'x'.repeat(5_000) }))).toBe(true);
  expect(sender.trySend(aRequest({ responseBody: 'x'.repeat(9_000) }))).toBe(false);
  expect(sender.trySend(aRequest())).toBe(true);
  const waiting = sender.send(aRequest({ responseBody: 'x'.repeat(9_000) }));
  expect(sender.trySend(aRequest())).toBe(false);
  transport.open();
  await waiting;
  await sender.flush();
  expect(sender.stats()).toMatchObject({ accepted: 3, declined: 2, sent: 3 });
});

test('begin: makes a record without an end, and the end of the same request comes behind it', async () => {
  const transport = aGatedTransport();
  const { sender } = aSender({ transport });
  const { requestId, createdBy, requestBody = null } = aRequest();
  await sender.begin({ requestId, createdBy, requestBody });
  await sender.send(aRequest({ requestId, createdBy }));
  await sender.flush();
  expect(transport.records).toMatchObject([
    { phase: 'begun', requestId },
    { phase: 'completed', requestId, statusCode: 200 },
  ]);
  expect(transport.records[0]).not.toHaveProperty('responseBody');
});

test('durable: resolves only when Redis has the record', async () => {
  const transport = aGatedTransport({ isOpen: false });
  const { sender } = aSender({ transport });
  const durable = sender.send(aRequest(), { durable: true });
  await until(() => transport.attempts.length > 0);
  expect(await outcomeOf(durable)).toBe('pending');
  expect(sender.stats().accepted).toBe(1);
  transport.open();
  await durable;
  expect(transport.records).toHaveLength(1);
});

test('durable: a wait that is aborted says that the record is sent all the same', async () => {
  const transport = aGatedTransport({ isOpen: false });
  const { sender } = aSender({ transport });
  const abort = new AbortController();
  const durable = sender.begin(aRequest(), { durable: true, signal: abort.signal });
  expect(await outcomeOf(durable)).toBe('pending');
  abort.abort();
  await expect(durable).rejects.toMatchObject({ name: 'AbortError', isAccepted: true });
  transport.open();
  expect(await sender.flush()).toMatchObject({ flushed: 1 });
  expect(sender.stats()).toMatchObject({ accepted: 1, aborted: 0, sent: 1 });
});

test('durable: close rejects what Redis has not acknowledged', async () => {
  const { sender } = aSender({ transport: aGatedTransport({ isOpen: false }) });
  const durable = sender.send(aRequest(), { durable: true });
  const rejected = expect(durable).rejects.toThrow(SenderClosedError);
  expect(await sender.close({ timeoutMs: 10 })).toEqual({ flushed: 0, unflushed: 1, spilled: 0 });
  await rejected;
});

test('durable: a record that goes by way of the disk is there when it has been replayed', async () => {
  const { transport, state } = aFailingTransport();
  const { sender, value } = aSender({ transport, spill: { dir: await createDirectory() } });
  const durable = sender.send(aRequest(), { durable: true });
  await until(() => sender.stats().spilled === 1);
  expect(await outcomeOf(durable)).toBe('pending');
  expect(await value('sluice_spill_records', { queue: 'completed-request' })).toBe(1);
  expect(sender.depth().records).toBe(0);
  state.isAway = false;
  await durable;
  expect(sender.stats()).toMatchObject({ accepted: 1, sent: 1, spilled: 0 });
});

test('durable: close rejects what is still on disk, and says that it is there', async () => {
  const { transport } = aFailingTransport();
  const { sender } = aSender({ transport, spill: { dir: await createDirectory() } });
  const durable = sender.send(aRequest(), { durable: true });
  const rejected = expect(durable).rejects.toThrow(/it is on disk/);
  await until(() => sender.stats().spilled === 1);
  expect(await sender.close({ timeoutMs: 10 })).toEqual({ flushed: 0, unflushed: 0, spilled: 1 });
  await rejected;
});

test('durable: when what was on disk is gone, whoever waits for it is told, also when more was written after it', async () => {
  const dir = await createDirectory();
  const { transport, state } = aFailingTransport();
  const { sender } = aSender({ transport, spill: { dir } });
  // The first is in the hands of the replay.
  const first = sender.send(aRequest(), { durable: true });
  await until(() => sender.stats().spilled === 1);
  const gone = expect(sender.send(aRequest(), { durable: true })).rejects.toThrow(RecordLostError);
  await until(() => sender.stats().spilled === 2);
  const [queueDirectory = ''] = await readdir(dir);
  const [own = ''] = await readdir(join(dir, queueDirectory));
  await rm(join(dir, queueDirectory, own), { recursive: true });
  const last = sender.send(aRequest(), { durable: true });
  await until(() => sender.stats().spilled === 3);
  state.isAway = false;
  await Promise.all([first, gone, last]);
});

test('refused for good, without a plain answer: it is sure when the others of its send get through, with no other traffic', async () => {
  const isLarge = ({ data }: { data: string }): boolean =>
    JSON.stringify(recordsOf({ data: JSON.parse(data) })).includes('too large');
  const sent: string[] = [];
  const { sender } = aSender({
    transport: {
      async send(chunks) {
        if (chunks.some(isLarge)) throw new Error('Command aborted due to connection close');
        sent.push(...chunks.map(({ id }) => id));
      },
      close: async () => undefined,
    },
  });
  sender.trySend(aRequest({ requestBody: 'too large'.repeat(100) }));
  for (let n = 0; n < 3; n += 1) sender.trySend(aRequest());
  await sender.flush();
  expect(sender.stats()).toMatchObject({ accepted: 4, sent: 3, rejected: 1, dropped: 0 });
  expect(new Set(sent).size).toBe(3);
});

test('durable: a record that was on disk and is damaged there is told to whoever waits for it', async () => {
  const dir = await createDirectory();
  const { transport, state } = aFailingTransport();
  const { sender, value } = aSender({ transport, spill: { dir } });
  const first = sender.send(aRequest(), { durable: true });
  await until(() => sender.stats().spilled === 1);
  const second = sender.send(aRequest(), { durable: true });
  const lost = expect(second).rejects.toThrow(RecordLostError);
  await until(() => sender.stats().spilled === 2);
  // The first is in the hands of the replay by now, the second in a segment of its own.
  const segments = [...(await filesIn(dir)).keys()].sort();
  expect(segments).toHaveLength(2);
  await writeFile(join(dir, segments.at(-1) ?? ''), 'garbage');
  state.isAway = false;
  await first;
  await lost;
  expect(sender.stats()).toMatchObject({ accepted: 2, sent: 1, spilled: 0, dropped: 1 });
  expect(await value('sluice_request_records_total', { outcome: 'dropped' })).toBe(1);
});

test('abort: it is counted in the same turn', async () => {
  const { sender } = aSender({ transport: aGatedTransport({ isOpen: false }), bufferRecords: 1 });
  await sender.send(aRequest());
  const abort = new AbortController();
  const sending = sender.send(aRequest(), { signal: abort.signal });
  expect(sender.stats()).toMatchObject({ accepted: 1, waiting: 1, aborted: 0 });
  abort.abort();
  expect(sender.stats()).toMatchObject({ accepted: 1, waiting: 0, aborted: 1 });
  await expect(sending).rejects.toThrow();
});

test('close: those who wait are let in while there is time', async () => {
  const transport = aGatedTransport({ isOpen: false });
  const { sender } = aSender({ transport, bufferRecords: 5 });
  const sends = someRequests(50).map((request) => sender.send(request));
  const closing = sender.close();
  await expect(sender.send(aRequest())).rejects.toThrow('the sender is closed');
  expect(() => sender.trySend(aRequest())).toThrow(SenderClosedError);
  transport.open();
  expect(await closing).toEqual({ flushed: 50, unflushed: 0, spilled: 0 });
  await Promise.all(sends);
  expect(transport.records).toHaveLength(50);
  expect(sender.stats()).toMatchObject({ accepted: 50, closed: 2, sent: 50, dropped: 0 });
});

test('close: those who still wait at its end are rejected, what was accepted is counted as dropped', async () => {
  const { sender, lines, value } = aSender({ transport: aGatedTransport({ isOpen: false }), bufferRecords: 5 });
  const sends = someRequests(8).map((request) => sender.send(request));
  const outcomes = Promise.allSettled(sends);
  expect(await sender.close({ timeoutMs: 10 })).toEqual({ flushed: 0, unflushed: 5, spilled: 0 });
  expect((await outcomes).map(({ status }) => status)).toEqual([
    ...Array.from({ length: 5 }, () => 'fulfilled'),
    ...Array.from({ length: 3 }, () => 'rejected'),
  ]);
  expect(sender.stats()).toMatchObject({ accepted: 5, closed: 3, dropped: 5, sent: 0, waiting: 0 });
  expect(await value('sluice_request_records_total', { outcome: 'dropped' })).toBe(5);
  expect(lines).toContain('request records dropped');
});

test('close: a second one gets the result of the first', async () => {
  const { sender } = aSender({ transport: aGatedTransport() });
  await sender.send(aRequest());
  expect(await sender.close()).toEqual(await sender.close());
});

test('accounts: whatever callers, Redis and the disk do, every call ends in one way and every record is counted once', async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ send: fc.integer({ min: 1, max: 3_000 }), durable: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ trySend: fc.integer({ min: 1, max: 3_000 }) }) },
    { weight: 1, arbitrary: fc.record({ abort: fc.nat(30) }) },
    { weight: 2, arbitrary: fc.constantFrom('away' as const, 'back' as const, 'flush' as const, 'turn' as const) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 2_600, max: 9_000 }),
      fc.boolean(),
      fc.boolean(),
      async (steps, bufferRecords, bufferBytes, withSpill, endsAway) => {
        const { transport, state } = aFailingTransport();
        const { sender } = aSender({
          transport,
          bufferRecords,
          bufferBytes,
          chunkRecords: 3,
          maxWaitMs: 1,
          ...(withSpill ? { spill: { dir: await createDirectory(), maxBytes: 20_000 } } : {}),
        });
        const aborts: AbortController[] = [];
        const order: string[] = [];
        const sends: Promise<unknown>[] = [];
        let calls = 0;
        const checkAccounts = (): void => {
          const { accepted, refused, aborted, closed, declined, waiting, sent, spilled, dropped } = sender.stats();
          expect(accepted + refused + aborted + closed + declined + waiting).toBe(calls);
          const { records, bytes } = sender.depth();
          expect(accepted).toBe(records + sent + spilled + dropped);
          expect(records).toBeLessThanOrEqual(bufferRecords);
          expect(bytes).toBeLessThanOrEqual(bufferBytes);
        };
        for (const one of steps) {
          if (one === 'away' || one === 'back') state.isAway = one === 'away';
          else if (one === 'flush') await sender.flush({ timeoutMs: 3 });
          else if (one === 'turn') await new Promise((resolve) => setImmediate(resolve));
          else if ('send' in one) {
            const abort = new AbortController();
            const request = aRequest({ responseBody: 'x'.repeat(one.send) });
            calls += 1;
            const sending = sender.send(request, { signal: abort.signal, durable: one.durable });
            if (!one.durable) sending.then(() => order.push(request.requestId)).catch(() => undefined);
            aborts.push(abort);
            sends.push(sending.catch((error: Error) => error.name));
          } else if ('trySend' in one) {
            calls += 1;
            try {
              sender.trySend(aRequest({ responseBody: 'x'.repeat(one.trySend) }));
            } catch (error) {
              expect(error).toBeInstanceOf(RecordTooLargeError);
            }
          } else {
            aborts[one.abort]?.abort();
          }
          checkAccounts();
        }
        state.isAway = endsAway;
        if (!endsAway) {
          expect(await sender.flush()).toMatchObject({ unflushed: 0, spilled: 0 });
          expect(sender.stats().waiting).toBe(0);
        }
        await sender.close({ timeoutMs: 0 });
        // Every send ends: none is left hanging.
        await Promise.all(sends);
        checkAccounts();
        expect(sender.depth()).toEqual({ records: 0, bytes: 0 });
        const { sent } = sender.stats();
        expect(transport.records).toHaveLength(sent);
        if (!withSpill && !endsAway) {
          const arrived = idsOf(transport.records);
          expect(order.every((id) => arrived.includes(id))).toBe(true);
        }
      },
    ),
    { numRuns: 80 },
  );
});
