import { fstatSync, writeFileSync } from 'node:fs';
import type { Writable } from 'node:stream';

/**
 * Has a stream to a file write all of a part, or fail. Node's own takes a part of which a full disk took only the beginning for
 * a whole one: the rest is missing, and nobody is told.
 */
export function writeWhole(stream: Writable & { fd: number }): void {
  try {
    if (!fstatSync(stream.fd).isFile()) return;
  } catch {
    // It is closed; that is told when something is written.
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
