import type { Readable } from 'node:stream';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { Refusal } from '../http/refusal.ts';

/** How a body may be compressed. */
export const bodyEncodings = ['identity', 'gzip', 'zstd'] as const;
export type BodyEncoding = (typeof bodyEncodings)[number];

/** zstd's window of 4 MiB is that of its levels up to 16, and takes as much memory. A body that wants a larger one is refused. */
const zstdWindowLog = 22;
const outputBytes = 65_536;

/** Memory that a body takes while it is read, beside what it holds of its lines: the buffers of its streams, and its window. */
export const readerBytes: Record<BodyEncoding, number> = {
  identity: 65_536,
  gzip: 262_144,
  zstd: 2 ** zstdWindowLog + 262_144,
};

/**
 * The chunks of a body, decompressed as they come. Reads no faster than its chunks are taken, and leaves the connection as it
 * is when they are not taken to the end.
 *
 * @throws Refusal when the body is larger than it may be, on its way or decompressed, or is not compressed as it says
 */
export async function* decodedBody(
  body: Readable,
  encoding: BodyEncoding,
  maxBytes: number,
): AsyncGenerator<Buffer, void, undefined> {
  const chunks =
    encoding === 'identity' ? body.iterator({ destroyOnReturn: false }) : decompressed(body, encoding, maxBytes);
  let bytes = 0;
  for await (const chunk of chunks as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes, encoding);
    yield chunk;
  }
}

async function* decompressed(body: Readable, encoding: 'gzip' | 'zstd', maxBytes: number): AsyncGenerator<Buffer> {
  const decoder =
    encoding === 'gzip'
      ? createGunzip({ chunkSize: outputBytes })
      : createZstdDecompress({ chunkSize: outputBytes, params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog } });
  let bytes = 0;
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > maxBytes) decoder.destroy(tooLarge(maxBytes, 'identity'));
  };
  let lost: Error | null = null;
  const lose = (error: Error): void => {
    lost ??= error;
    decoder.destroy(lost);
  };
  const gone = (): void => {
    if (!body.readableEnded) lose(new Error('the sender has gone'));
  };
  // No event tells of a sender that went before the reading began.
  if (body.closed) gone();
  body.on('data', count).on('error', lose).on('close', gone).pipe(decoder);
  try {
    for await (const chunk of decoder) yield chunk as Buffer;
  } catch (error) {
    if (error instanceof Refusal || lost !== null) throw error;
    throw new Refusal(
      'invalid-encoding',
      `The body is not ${encoding}, as its Content-Encoding says, or wants a window above 4 MiB`,
    );
  } finally {
    body.unpipe(decoder);
    body.off('data', count).off('error', lose).off('close', gone);
    body.pause();
    decoder.destroy();
  }
}

function tooLarge(maxBytes: number, encoding: BodyEncoding): Refusal {
  const of = encoding === 'identity' ? '' : ', decompressed';
  return new Refusal('too-large', `The body is larger than ${maxBytes} bytes${of}; send its records in several bodies`);
}
