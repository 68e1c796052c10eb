import { byteSize } from '../../shared/platform/byte-size.ts';
import type { RedisTarget } from '../../shared/platform/redis/redis-target.ts';
import type { Answer } from '../answer.ts';
import { checkClock } from '../check-clock.ts';
import { type Finding, findingsOn } from '../finding.ts';
import { isBelow } from '../version.ts';
import type { RedisConnection, RedisFacts } from './redis-facts.ts';
import type { RedisServer } from './redis-info.ts';
import { remedyOf, rights } from './redis-remedies.ts';

const on = findingsOn('redis');

/** BullMQ refuses to work below the first, and warns below the second. */
const minVersion = '5.0.0';
const recommendedVersion = '6.2.0';

const memoryFailShare = 0.95;
const clientsWarnShare = 0.9;

/** Whether Redis accepts connections from this machine. */
export function checkRedisConnection(state: RedisConnection['state']): Finding {
  if (!state.known) {
    return on.failure('connection', `Redis cannot be used: ${state.why}`, remedyOf(state.code));
  }
  if (state.value === 'loading')
    return on.failure(
      'connection',
      'the server is still loading its data from disk',
      'wait until it has finished; meanwhile producers buffer and workers wait',
    );
  return on.ok('connection', 'the server answers');
}

/** What Redis is compared with. */
export interface RedisContext {
  memoryShare: number;
  topology: RedisTarget['topology'];
}

/**
 * Checks everything that the servers reported about themselves. Of several servers, each problem is reported with its server, and
 * what is right with all of them in one line.
 */
export function checkRedis(servers: readonly RedisFacts[], context: RedisContext): Finding[] {
  const checked = servers.map((facts) => ({ name: facts.name, findings: checkServer(facts, context) }));
  const [first, ...others] = checked;
  if (first === undefined) return [];
  if (others.length === 0) return first.findings;
  const all = checked.flatMap(({ name, findings }) => findings.map((finding) => ({ name, finding })));
  return first.findings.flatMap(({ check, message }) => {
    const wrong = all.filter(({ finding }) => finding.check === check && finding.level !== 'ok');
    if (wrong.length === 0) return [on.ok(check, `${message}; the same on all ${servers.length} primaries`)];
    return wrong.map(({ name, finding }) => ({ ...finding, message: `${name}: ${finding.message}` }));
  });
}

function checkServer({ server, savePoints, clock }: RedisFacts, { memoryShare, topology }: RedisContext): Finding[] {
  if (!server.known) {
    return [
      on.warning(
        'server',
        `INFO could not be read: ${server.why}. Producers cannot see how full the server is, and notice only when it refuses writes`,
        `allow the user in REDIS_URL to call it, ${rights}`,
      ),
      checkClock(on, clock),
    ];
  }
  return [
    checkVersion(server.value),
    checkRole(server.value, topology),
    checkPolicy(server.value),
    checkMemory(server.value, memoryShare),
    checkPersistence(server.value, savePoints),
    ...checkClients(server.value),
    checkClock(on, clock),
  ];
}

function checkVersion({ product, version }: RedisServer): Finding {
  const name = `${product ?? 'a server that does not identify itself'}${version === null ? '' : ` ${version}`}`;
  const untested = 'run npm test with REDIS_URL set to such a server: BullMQ is made for Redis and Valkey';
  if (product === null || version === null) return on.warning('version', name, untested);
  if (product === 'Dragonfly') return on.warning('version', `${name}: not covered by Sluice's tests`, untested);
  // Valkey forked from Redis 7.2, so every version of it is new enough.
  if (product === 'Valkey') return on.ok('version', name);
  const remedy = `upgrade to ${recommendedVersion} or later`;
  if (isBelow(version, minVersion)) return on.failure('version', `${name}: BullMQ refuses to work with it`, remedy);
  if (isBelow(version, recommendedVersion)) return on.warning('version', `${name}: BullMQ advises against it`, remedy);
  return on.ok('version', name);
}

function checkRole({ role, isSentinel, isClusterNode }: RedisServer, topology: RedisTarget['topology']): Finding {
  if (isSentinel)
    return on.failure(
      'role',
      'a Sentinel, which keeps no data but knows who does',
      'set REDIS_SENTINEL_NODES to it and the others, and REDIS_SENTINEL_MASTER_NAME, instead of REDIS_URL',
    );
  if (role === 'slave' || role === 'replica')
    return on.failure(
      'role',
      'a replica, which refuses writes',
      'set REDIS_URL to the primary, or let Sentinels name it: REDIS_SENTINEL_NODES',
    );
  if (isClusterNode && topology !== 'cluster')
    return on.warning(
      'role',
      'a node of a Redis Cluster; Sluice talks only to this node and cannot reach keys on the others (MOVED)',
      'set REDIS_CLUSTER_NODES to it and some others, instead of REDIS_URL',
    );
  const name = role === 'master' || role === null ? 'primary' : role;
  return on.ok('role', isClusterNode ? `${name} of a cluster` : name);
}

/** BullMQ keeps jobs in ordinary keys: an evicted key is a lost or broken job. */
function checkPolicy({ maxMemoryPolicy: policy, maxMemoryBytes, evictedKeys }: RedisServer): Finding {
  const check = 'eviction';
  const remedy = 'CONFIG SET maxmemory-policy noeviction, and set the same in redis.conf or at the provider';
  if (policy === null)
    return on.warning(check, 'the server does not report its maxmemory-policy', 'make sure that it is noeviction');
  if (policy !== 'noeviction') {
    // Without a limit nothing is evicted, until somebody sets one.
    return maxMemoryBytes === 0
      ? on.warning(check, `maxmemory-policy is ${policy}: jobs will be deleted once maxmemory is set`, remedy)
      : on.failure(check, `maxmemory-policy is ${policy}: jobs are deleted when memory runs out`, remedy);
  }
  if (evictedKeys !== null && evictedKeys > 0)
    return on.warning(
      check,
      `noeviction now, but ${evictedKeys} keys were evicted since the server was started`,
      'expect lost jobs: compare what producers sent with what is stored; restarting the server resets the count',
    );
  return on.ok(check, 'noeviction');
}

function checkMemory({ usedMemoryBytes: used, maxMemoryBytes: max }: RedisServer, share: number): Finding {
  if (used === null) return on.warning('memory', 'the server does not report its memory use', 'check it by hand');
  if (max === null || max === 0) return on.ok('memory', `${byteSize(used)} used, no maxmemory`);
  const message = `${byteSize(used)} of ${byteSize(max)} used, ${Math.floor((used / max) * 100)} %`;
  const remedy =
    'make sure that workers keep up, then raise maxmemory; until there is room, producers buffer or spill (SLUICE_REDIS_MEMORY_SHARE)';
  if (used / max > memoryFailShare) return on.failure('memory', message, remedy);
  if (used / max > share)
    return on.warning('memory', `${message}, and producers stop adding above ${share * 100} %`, remedy);
  return on.ok('memory', message);
}

/** Jobs that Redis has acknowledged and then loses in a crash are lost for good: the producer no longer has them. */
function checkPersistence({ appendOnly, failedWrites, replicas }: RedisServer, savePoints: Answer<string>): Finding {
  const check = 'persistence';
  const useAppendOnly = 'CONFIG SET appendonly yes, and set the same in redis.conf or at the provider';
  if (failedWrites.length > 0)
    return on.failure(
      check,
      `${failedWrites.join(' and ')} failed`,
      "check the disk's free space and permissions, and the server's log",
    );
  if (appendOnly === true) return on.ok(check, 'append-only file');
  if (appendOnly === null)
    return on.warning(
      check,
      'the server does not report whether it keeps an append-only file',
      'make sure that it does',
    );
  if (!savePoints.known)
    return on.warning(
      check,
      `no append-only file; could not check whether snapshots are made (${savePoints.why})`,
      useAppendOnly,
    );
  if (savePoints.value !== '')
    return on.warning(
      check,
      `snapshots only (${savePoints.value}): a crash loses the jobs since the last one`,
      useAppendOnly,
    );
  const message = 'none: a restart of the server loses every waiting job';
  if (replicas !== null && replicas > 0)
    return on.warning(check, `${message}, unless a replica takes over (it has ${replicas})`, useAppendOnly);
  return on.failure(check, message, useAppendOnly);
}

function checkClients({ connectedClients: connected, maxClients: max }: RedisServer): Finding[] {
  if (connected === null || max === null || max === 0) return [];
  const message = `${connected} of ${max} connections in use`;
  if (connected / max <= clientsWarnShare) return [on.ok('connections', message)];
  return [on.warning('connections', message, 'find out who uses them (CLIENT LIST), or raise maxclients')];
}
