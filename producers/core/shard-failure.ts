import { classifyRedisError } from '../../shared/platform/redis/redis-errors.ts';

/** Answers about the keys of one shard: another one, also on the same server, may well take what was sent. */
const codesOfShard = ['TRYAGAIN', 'NOPERM', 'MOVED', 'ASK', 'CROSSSLOT'];

/**
 * What is at fault when a shard does not take what was sent: its server, the shard alone, or what was sent. Answers without a
 * known meaning count as the shard's: a key of another type fails in the same way for whatever is sent there.
 */
export function placeOfFailure(error: unknown): 'server' | 'shard' | 'content' {
  const { class: kind, code } = classifyRedisError(error);
  if (kind === 'unknown' || kind === 'job' || codesOfShard.includes(code)) return 'shard';
  return kind === 'payload' || kind === 'foreign' ? 'content' : 'server';
}
