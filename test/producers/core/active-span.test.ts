import { trace } from '@opentelemetry/api';
import { expect, onTestFinished, test } from 'vitest';
import { readActiveSpan } from '../../../producers/core/active-span.ts';
import { aSpan, inSpan, openTelemetry, startOpenTelemetry } from '../../support/open-telemetry.ts';
import { revokedProxy, throwingGetter } from '../../support/unreadable.ts';

/** Something of somebody's where the API registers. */
function register(registered: unknown): void {
  Object.defineProperty(globalThis, openTelemetry, { value: registered, configurable: true });
  onTestFinished(() => void Reflect.deleteProperty(globalThis, openTelemetry));
}

test('active span: undefined where the host has no OpenTelemetry, null where no span is active', () => {
  expect(readActiveSpan()).toBeUndefined();
  startOpenTelemetry();
  expect(readActiveSpan()).toBeNull();
});

test('active span: the one of the context, also after an await', async () => {
  startOpenTelemetry();
  const [one, other] = [aSpan('1'), aSpan('2')];
  expect(inSpan(one, readActiveSpan)).toEqual(one);
  const later = async () => {
    await Promise.resolve();
    return readActiveSpan();
  };
  expect(await Promise.all([inSpan(one, later), inSpan(other, later)])).toEqual([one, other]);
  expect(inSpan(one, () => inSpan(other, readActiveSpan))).toEqual(other);
  expect(readActiveSpan()).toBeNull();
});

test('active span: the one that the API itself says is active', () => {
  startOpenTelemetry();
  inSpan(aSpan('a'), () => expect(trace.getActiveSpan()?.spanContext()).toMatchObject(readActiveSpan() ?? {}));
});

test.each([
  { traceId: '0'.repeat(32), spanId: '1'.repeat(16) },
  { traceId: '1'.repeat(32), spanId: '0'.repeat(16) },
  { traceId: '1'.repeat(31), spanId: '1'.repeat(16) },
  { traceId: '1'.repeat(32), spanId: '1'.repeat(17) },
  { traceId: 'A'.repeat(32), spanId: '1'.repeat(16) },
  { traceId: `${'1'.repeat(31)}\0`, spanId: '1'.repeat(16) },
])('active span: $traceId with $spanId is none', (span) => {
  startOpenTelemetry();
  expect(inSpan(span, readActiveSpan)).toBeNull();
});

test.each([
  ['of another kind', 7],
  ['null', null],
  ['without a context', { version: '1.9.0' }],
  ['with a context of another kind', { context: {} }],
  ['with a span of another kind', { context: { active: () => ({ getValue: () => ({}) }) } }],
  ['with a span without ids', { context: { active: () => ({ getValue: () => ({ spanContext: () => null }) }) } }],
  ['that cannot be read', revokedProxy()],
  ['whose context cannot be read', throwingGetter('context')],
])('active span: of a global %s nothing is taken, and nothing is thrown', (_, registered) => {
  register(registered);
  expect(readActiveSpan()).toBeNull();
});
