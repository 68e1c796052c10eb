import { Registry } from 'prom-client';
import { createExecutionObserver } from '../../producers/index.ts';
import type { Rows } from '../rows.ts';
import type { Testbed } from '../testbed.ts';

/** Rows that are recorded one after the other, at a steady rate, through the real SDK. */
export interface Load {
  recorded(): number;
  /** Stops recording. Resolves when Redis has acknowledged every record. @throws Error if one was dropped */
  stop(): Promise<void>;
}

/** What to record, and how fast. */
export interface LoadOptions {
  namespace: string;
  rows: Rows;
  perSecond: number;
  /** of one chunk at most. @default the configured number */
  chunkRecords?: number | undefined;
}

const turnMs = 10;
/** Where Redis is full, space has to be freed first. */
const drainTimeoutMs = 120_000;

/** Starts with the first row. The buffer holds the longest outage, because this is not about what a full one drops. */
export function startLoad(testbed: Testbed, { namespace, rows, perSecond, chunkRecords }: LoadOptions): Load {
  const { producer } = testbed.config;
  const observer = createExecutionObserver({
    redisUrl: testbed.redisUrl,
    namespace,
    producer: {
      ...producer,
      sampleRate: 1,
      buffer: { maxRecords: rows.count, maxBytes: 1_000_000_000 },
      chunk: { ...producer.chunk, maxRecords: chunkRecords ?? producer.chunk.maxRecords },
    },
    registry: new Registry(),
    logger: { warn: () => undefined },
  });
  testbed.onClose(`the observer of ${namespace}`, async () => void (await observer.close()));
  let recorded = 0;
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const due = Math.min(rows.count, Math.floor(((performance.now() - startedAt) / 1_000) * perSecond));
    for (; recorded < due; recorded += 1) observer.record(rows.execution(recorded));
  }, turnMs);
  return {
    recorded: () => recorded,
    async stop() {
      clearInterval(timer);
      const { unflushed } = await observer.drain({ timeoutMs: drainTimeoutMs });
      const { dropped } = observer.stats();
      await observer.close();
      if (unflushed > 0 || dropped > 0) throw new Error(`faults: ${dropped} records dropped, ${unflushed} unsent`);
    },
  };
}
