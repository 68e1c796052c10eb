import { placeKey } from '../../shared/contracts/lobby-event.ts';
import { queuePrefix } from '../../shared/contracts/queues.ts';
import type { Config } from '../../shared/platform/config/config.ts';
import type { RedisTarget } from '../../shared/platform/redis/redis-target.ts';

/** Names of users in Redis. */
export interface RedisUsers {
  /** adds to the queues */
  producer: string;
  /** takes from the queues, and reads and writes the streams of health events */
  worker: string;
  /** reads all that, and puts jobs and dead letters back */
  console: string;
}

/** What everybody does: connect, read, write and run BullMQ's scripts. `INFO` is asked for at the start; it may be taken away. */
const common = '-@all +@connection +@read +@write +@scripting -@dangerous +info';

/**
 * The lines, for redis-cli, that make the users of Redis with the rights that they need and no others. For a cluster, each
 * primary and each replica needs them; with Sentinels, each server of theirs.
 */
export function grantRedisLines(
  { namespace, health }: Pick<Config, 'namespace' | 'health'>,
  topology: RedisTarget['topology'],
  users: RedisUsers,
): string[] {
  // The opening brace is a part of each key: see queuePrefix.
  const queues = `~${escapeGlob(queuePrefix('execution-log', namespace).replace(/execution-log}$/, ''))}*`;
  const streams = [
    ...[health.stream, health.lobbyStream, placeKey(health.lobbyStream)].map((key) => `~${escapeGlob(key)}`),
    `~${escapeGlob(health.service)}:stream_offsets:*`,
  ].join(' ');
  const ofCluster = topology === 'cluster' ? ' +cluster|slots' : '';
  const more = '+@transaction +time +client|list';
  const lines = [
    `ACL SETUSER ${users.producer} on >PASSWORD ${queues} ${common}${ofCluster}`,
    `ACL SETUSER ${users.worker} on >PASSWORD ${queues} ${streams} ${common} ${more}${ofCluster}`,
    `ACL SETUSER ${users.console} on >PASSWORD ${queues} ${streams} ${common} ${more}${ofCluster}`,
  ];
  if (topology !== 'sentinel') return lines;
  const asks = '+sentinel|get-master-addr-by-name +sentinel|sentinels';
  return [
    ...lines,
    '# On each Sentinel, if Sentinels want a user, too:',
    `ACL SETUSER sluice on >PASSWORD -@all +@connection ${asks}`,
  ];
}

/** What is a pattern in a key must not be one in a rule. */
function escapeGlob(key: string): string {
  return key.replaceAll(/[\\*?[\]]/g, String.raw`\$&`);
}
