import { isCluster, nodeOf } from '../../shared/platform/redis/cluster-nodes.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';

/** The longest answer to a blocking read that is taken in. */
const maxReplyBytes = 1_024 * 1_024;

/**
 * Waits for the next entry after a place. Redis can only send it whole, be it half a gigabyte, and cannot be told to stop: of
 * one that is too large the beginning is taken in, and then the connection is closed, and not opened again.
 *
 * @param redis waits for this alone
 * @returns `too large` when there is one that has to be read in another way; null when there was none for `blockMs`
 * @throws Error when the server refuses, or the connection is lost otherwise
 */
export async function readNextEntry(
  redis: Redis,
  stream: string,
  afterId: string,
  blockMs: number,
): Promise<[id: string, fields: string[]] | 'too large' | null> {
  // Who has the stream may have changed; the answer comes from there.
  if (isCluster(redis)) await redis.exists(stream);
  const node = await nodeOf(redis, stream);
  let bytes = 0;
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes <= maxReplyBytes) return;
    node.disconnect();
    // The client takes leave, and would read on until the server has done so, too.
    node.stream.destroy();
  };
  const listen = (): void => {
    node.stream?.off('data', onData);
    node.stream?.on('data', onData);
  };
  listen();
  // The client connects by itself, when it is first used and when the connection is lost.
  node.on('connect', listen);
  try {
    const reply = await node.xread('COUNT', 1, 'BLOCK', blockMs, 'STREAMS', stream, afterId);
    return reply?.[0]?.[1][0] ?? null;
  } catch (error) {
    if (bytes > maxReplyBytes) return 'too large';
    throw error;
  } finally {
    node.off('connect', listen);
    node.stream?.off('data', onData);
  }
}
