import { fstatSync, writeFileSync } from 'node:fs';
import type { Writable } from 'node:stream';

/**
 * Makes a stream to a file write all of a chunk, or fail. If a full disk accepted only the beginning of a chunk, Node's own stream
 * counts the chunk as written: the rest is missing without an error.
 */
export function writeWhole(stream: Writable & { fd: number }): void {
  try {
    if (!fstatSync(stream.fd).isFile()) return;
  } catch {
    // It is closed, which the next write reports.
    return;
  }
  stream._write = (part, _encoding, done) => {
    try {
      writeFileSync(stream.fd, part);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  };
}
