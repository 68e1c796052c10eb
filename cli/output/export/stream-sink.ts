import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { ByteSink } from '../../../archive/parquet-writer.ts';

/** Writes bytes to a stream, no faster than its reader takes them. Once the signal aborts, it neither writes nor waits. */
export function createStreamSink(stream: Writable, ended: AbortSignal): ByteSink {
  return {
    async write(bytes) {
      if (ended.aborted || bytes.length === 0) return;
      // A copy: the Parquet writer reuses its buffer.
      if (stream.write(Uint8Array.from(bytes))) return;
      await once(stream, 'drain', { signal: ended }).catch(() => undefined);
    },
  };
}
