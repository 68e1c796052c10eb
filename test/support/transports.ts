import type { Transport } from '../../producers/core/transport.ts';
import { type ExecutionRecord, executionRecordSchema } from '../../shared/contracts/execution-schema.ts';
import type { LedgerReport } from '../../shared/contracts/ledger-report.ts';
import { parseReport } from '../../shared/contracts/ledger-report-schema.ts';
import { recordsOf } from './records-of.ts';

type Sent = { id: string; data: string };

/** Ways to answer a send; the number of the attempt counts from 1. */
type Answer = (attempt: number) => Promise<void>;

/** A transport that keeps what it was given, and answers as it is told; closing it cuts off the sends under way. */
export interface ScriptedTransport<R = ExecutionRecord> extends Transport {
  /** the chunks of every attempt, whatever its answer */
  readonly attempts: Sent[][];
  /** the records that arrived, each once */
  readonly records: R[];
  readonly closings: number;
  /** to the ledger, taken whatever becomes of chunks */
  readonly reports: LedgerReport[];
}

export function aTransport(answer?: Answer): ScriptedTransport {
  return aTransportOf((record) => executionRecordSchema.strict().parse(record), answer);
}

/** As `aTransport`, for records of any kind. */
export function aTransportOf<R>(
  parseRecord: (record: unknown) => R,
  answer: Answer = async () => undefined,
): ScriptedTransport<R> {
  const attempts: Sent[][] = [];
  const arrived = new Map<string, R[]>();
  const closing = Promise.withResolvers<never>();
  closing.promise.catch(() => undefined);
  const reports: LedgerReport[] = [];
  let closings = 0;
  return {
    attempts,
    reports,
    get records() {
      return [...arrived.values()].flat();
    },
    get closings() {
      return closings;
    },
    async send(chunks) {
      attempts.push(chunks.map(({ id, data }) => ({ id, data })));
      await Promise.race([answer(attempts.length), closing.promise]);
      for (const { id, data } of chunks) arrived.set(id, recordsOf({ data: JSON.parse(data) }).map(parseRecord));
    },
    async report({ data }) {
      const parsed = parseReport(JSON.parse(data));
      if (parsed.kind !== 'report') throw new Error(parsed.reason);
      reports.push(parsed.job.report);
    },
    async close() {
      closings += 1;
      closing.reject(new Error('connection is closed'));
    },
  };
}

/** Says nothing until it is told to, and closing it does not cut anything off. */
export function frozenTransport(): ScriptedTransport & { goOn(): void } {
  const transport = silentTransport();
  return Object.defineProperty(transport, 'close', { value: async () => undefined });
}

/** Fails so many times, then accepts. */
export function failingTransport(times: number): ScriptedTransport {
  return aTransport(async (attempt) => {
    if (attempt <= times) throw new Error(`attempt ${attempt} failed`);
  });
}

/** Says nothing until it is closed, which cuts its sends off, or until it is told to go on. */
export function silentTransport(): ScriptedTransport & { goOn(): void } {
  const breaker = Promise.withResolvers<void>();
  return Object.defineProperties(
    { goOn: breaker.resolve },
    Object.getOwnPropertyDescriptors(aTransport(() => breaker.promise)),
  ) as ScriptedTransport & { goOn(): void };
}
