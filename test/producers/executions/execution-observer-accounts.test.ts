import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Execution } from '../../../producers/executions/execution.ts';
import { failure, anExecution as ok } from '../../support/execution.ts';
import { anObserver, expectBalanced, labels } from '../../support/observer.ts';
import { aTransport, failingTransport, frozenTransport, silentTransport } from '../../support/transports.ts';

test('drops: with room for one, of two back to back the first survives and the second is counted', async () => {
  const transport = aTransport();
  const { observer, value, lines } = anObserver({ transport, bufferRecords: 1 });
  observer.record(ok({ caseName: 'first' }));
  observer.record(ok({ caseName: 'second' }));
  expect(observer.stats()).toMatchObject({ recorded: 2, dropped: 1, kept: 1 });
  await observer.drain();
  expect(transport.records).toMatchObject([{ caseName: 'first' }]);
  expect(await value('dsl_execution_log_dropped_total', labels)).toBe(1);
  expect(lines).toMatchObject([{ count: 1, message: 'execution records dropped' }]);
});

test('drops: a failure takes the room of the oldest ok run, which is counted under its own labels', async () => {
  const transport = aTransport();
  const { observer, value } = anObserver({ transport, bufferRecords: 2 });
  observer.record(ok({ realmId: 'oldest', caseName: 'oldest' }));
  observer.record(ok({ caseName: 'newer' }));
  observer.record(failure({ caseName: 'failed' }));
  await observer.drain();
  expect(transport.records.map(({ caseName }) => caseName)).toEqual(['failed', 'newer']);
  expect(await value('dsl_execution_log_dropped_total', { ...labels, realm: 'oldest' })).toBe(1);
  expect(await value('dsl_execution_log_dropped_total', labels)).toBe(0);
  expect(observer.stats()).toEqual({
    recorded: 3,
    sampledOut: 0,
    disabled: 0,
    dropped: 1,
    kept: 2,
    sent: 2,
    refused: 0,
    spilled: 0,
    takenOver: 0,
    recovered: 0,
  });
});

test('drops: the buffer is bounded by bytes, too', () => {
  const { observer } = anObserver({ transport: aTransport(), bufferBytes: 20_000 });
  for (let n = 0; n < 10; n += 1) observer.record(ok({ input: 'x'.repeat(5_000) }));
  expect(observer.stats()).toMatchObject({ kept: 3, dropped: 7 });
  expect(observer.depth().bytes).toBeLessThanOrEqual(20_000);
});

test('stats: they are a copy', () => {
  const { observer } = anObserver({ transport: null });
  observer.stats().recorded = 99;
  expect(observer.stats().recorded).toBe(0);
});

type Act = 'ok' | 'failure' | 'garbage' | 'hostile' | 'disable' | 'enable' | 'drain' | 'close';
const acts = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom<Act>('ok', 'failure') },
    { weight: 3, arbitrary: fc.constantFrom<Act>('garbage', 'hostile', 'disable', 'enable', 'drain') },
    { weight: 1, arbitrary: fc.constant<Act>('close') },
  ),
  { maxLength: 60, size: 'max' },
);

test('accounts: whatever happens, every record is counted once, in the stats as in the metrics', async () => {
  await fc.assert(
    fc.asyncProperty(
      acts,
      fc.constantFrom('accepts', 'fails at times', 'always fails', 'is silent', 'is frozen'),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom(0, 0.5, 1),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      async (sequence, mode, bufferRecords, sampleRate, numbers) => {
        const transport = {
          accepts: () => aTransport(),
          'fails at times': () => failingTransport(3),
          'always fails': () => failingTransport(Number.POSITIVE_INFINITY),
          'is silent': silentTransport,
          'is frozen': frozenTransport,
        }[mode]();
        const random = () => numbers.next().value as number;
        const { observer, value } = anObserver({
          transport,
          bufferRecords,
          chunkRecords: 2,
          settings: { sampleRate },
          random,
        });
        const perform: Record<Act, () => unknown> = {
          ok: () => observer.record(ok()),
          failure: () => observer.record(failure()),
          garbage: () => observer.record(null as unknown as Execution),
          hostile: () => observer.record(ok({ realmId: Object.create(null), strategyType: Object.create(null) })),
          disable: () => observer.configure({ enabled: false }),
          enable: () => observer.configure({ enabled: true }),
          drain: () => observer.drain({ timeoutMs: 1 }),
          close: () => void observer.close({ timeoutMs: 1 }),
        };
        for (const act of sequence) {
          await perform[act]();
          expectBalanced(observer.stats());
          expect(observer.depth().records).toBeLessThanOrEqual(bufferRecords);
        }
        const { unflushed } = await observer.close({ timeoutMs: 1 });
        const stats = observer.stats();
        expectBalanced(stats);
        expect(stats.recorded).toBe(
          sequence.filter((act) => ['ok', 'failure', 'garbage', 'hostile'].includes(act)).length,
        );
        expect(stats.kept).toBe(stats.sent);
        expect(stats.dropped).toBeGreaterThanOrEqual(unflushed);
        expect(transport.records).toHaveLength(stats.sent);
        expect(new Set(transport.records.map(({ id }) => id)).size).toBe(stats.sent);
        expect({
          sampledOut: await value('sluice_producer_records_total', { outcome: 'sampled_out' }),
          disabled: await value('sluice_producer_records_total', { outcome: 'disabled' }),
          dropped: await value('sluice_producer_records_total', { outcome: 'dropped' }),
          sent: await value('sluice_producer_records_total', { outcome: 'sent' }),
        }).toEqual({
          sampledOut: stats.sampledOut,
          disabled: stats.disabled,
          dropped: stats.dropped,
          sent: stats.sent,
        });
      },
    ),
    { numRuns: 150 },
  );
});
