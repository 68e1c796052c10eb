import { maxShards } from '../../shared/contracts/queues.ts';
import { type Costs, costOf, costs as measured } from './costs.ts';

/** What has to be carried, and by servers of what size. */
export interface Load {
  /** that are kept and sent: after sampling */
  recordsPerSecond: number;
  /** of a record's JSON */
  bytes: number;
  /** how long records wait in Redis while PostgreSQL is away */
  outageMinutes: number;
  /** how long rows are kept */
  retentionDays: number;
  /** of one Redis server: what producers may fill, `SLUICE_REDIS_MEMORY_SHARE` of `maxmemory`; with ok runs 7/8 of that */
  redisGib: number;
  /** of one PostgreSQL server */
  postgresCores: number;
  /** of disk of one PostgreSQL server */
  postgresTib: number;
  /** that one PostgreSQL server can write to its log for hours, in MB/s */
  walMbPerSecond: number;
}

/** Something that may be the bottleneck. */
export interface Limit {
  name: string;
  /** what one record takes of it, in words */
  cost: string;
  /** records per second that one unit carries */
  perUnit: number;
  unit: 'process' | 'shard' | 'server';
  /** units that the load needs */
  needed: number;
  /** what takes its place when one unit is not enough */
  remedy: string;
}

/** What a load needs. */
export interface CapacityPlan {
  load: Load;
  /** the one that is reached first comes first */
  limits: readonly Limit[];
  redis: { shards: number; primaries: number; memoryGib: number };
  /** `servers` by what they do; whether their disks are large enough is a limit of its own */
  postgres: { servers: number; cores: number; connections: number; walMbPerSecond: number; storedTib: number };
  producers: number;
  workers: number;
}

/** A core that is busier than this has no room for a burst. */
const busyShare = 0.7;

/** Default of SLUICE_DATABASE_POOL_SIZE. */
const connectionsPerWorker = 4;

const gib = 1_024 ** 3;
const tib = 1_024 ** 4;
const secondsPerDay = 86_400;

/** How much of everything a load needs. It assumes that costs do not change with the load, so it is a lower bound. */
export function planCapacity(load: Load, costs: Costs = measured): CapacityPlan {
  const { recordsPerSecond, bytes, outageMinutes } = load;
  const of = (part: keyof Costs): number => costOf(costs[part], bytes);
  const limit = (parts: Omit<Limit, 'needed'>): Limit => ({
    ...parts,
    needed: Math.ceil(recordsPerSecond / parts.perUnit),
  });
  const cpuLimit = (
    part: 'producer' | 'redis' | 'worker' | 'postgres',
    { cores = 1, ...parts }: Pick<Limit, 'name' | 'unit' | 'remedy'> & { cores?: number },
  ): Limit =>
    limit({ ...parts, cost: `${of(part).toFixed(0)} µs`, perUnit: (busyShare * cores * 1_000_000) / of(part) });

  const producer = cpuLimit('producer', {
    name: 'CPU of a producer',
    unit: 'process',
    remedy: 'it is spread over the services that record; a lower sample rate',
  });
  const worker = cpuLimit('worker', {
    name: 'CPU of a worker',
    unit: 'process',
    remedy: 'more worker processes; nothing else has to be set',
  });
  const redisCpu = cpuLimit('redis', {
    name: 'CPU of Redis',
    unit: 'shard',
    remedy: 'SLUICE_QUEUE_SHARDS, on a cluster with a primary for each shard',
  });
  const redisMemory = limit({
    name: 'memory of Redis',
    cost: `${of('queuedBytes').toFixed(0)} bytes for ${outageMinutes} min`,
    unit: 'server',
    perUnit: (load.redisGib * gib) / (of('queuedBytes') * outageMinutes * 60),
    remedy: 'larger or more primaries; SLUICE_SPILL_DIR of producers takes what does not fit',
  });
  const postgresCpu = cpuLimit('postgres', {
    name: 'CPU of PostgreSQL',
    unit: 'server',
    cores: load.postgresCores,
    remedy: 'a larger server, then cells',
  });
  const postgresLog = limit({
    name: 'log of PostgreSQL',
    cost: `${of('walBytes').toFixed(0)} bytes`,
    unit: 'server',
    perUnit: (load.walMbPerSecond * 1_000_000) / of('walBytes'),
    remedy: 'faster storage for pg_wal, then cells',
  });
  const postgresDisk = limit({
    name: 'disk of PostgreSQL',
    cost: `${of('storedBytes').toFixed(0)} bytes for ${load.retentionDays} d`,
    unit: 'server',
    perUnit: (load.postgresTib * tib) / (of('storedBytes') * load.retentionDays * secondsPerDay),
    remedy: 'fewer days, a lower sample rate or `sluice archive`; then cells',
  });
  const primaries = Math.max(redisCpu.needed, redisMemory.needed);
  return {
    load,
    limits: [producer, worker, redisCpu, redisMemory, postgresCpu, postgresLog, postgresDisk].sort(
      (a, b) => a.perUnit - b.perUnit,
    ),
    redis: {
      shards: Math.min(primaries, maxShards),
      primaries,
      memoryGib: (recordsPerSecond * outageMinutes * 60 * of('queuedBytes')) / gib,
    },
    postgres: {
      servers: Math.max(postgresCpu.needed, postgresLog.needed),
      cores: Math.ceil((recordsPerSecond * of('postgres')) / (busyShare * 1_000_000)),
      connections: worker.needed * connectionsPerWorker,
      walMbPerSecond: (recordsPerSecond * of('walBytes')) / 1_000_000,
      storedTib: (recordsPerSecond * secondsPerDay * load.retentionDays * of('storedBytes')) / tib,
    },
    producers: producer.needed,
    workers: worker.needed,
  };
}
