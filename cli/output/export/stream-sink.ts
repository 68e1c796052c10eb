import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { ByteSink } from '../../../archive/parquet-writer.ts';

/** Bytes to a stream, no faster than its reader takes them; none any more, and no wait, once the signal aborts. */
export function createStreamSink(stream: Writable, ended: AbortSignal): ByteSink {
  return {
    async write(bytes) {
      if (ended.aborted || bytes.length === 0) return;
      // A copy: the writer of Parquet uses its own again.
      if (stream.write(Uint8Array.from(bytes))) return;
      await once(stream, 'drain', { signal: ended }).catch(() => undefined);
    },
  };
}
