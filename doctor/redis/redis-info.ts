/** What a Redis server, or one that speaks its protocol, reports about itself. A value that it does not report is null. */
export interface RedisServer {
  product: 'Redis' | 'Valkey' | 'Dragonfly' | null;
  /** in the product's own numbering */
  version: string | null;
  role: string | null;
  /** whether it keeps no data, and only knows who does */
  isSentinel: boolean;
  /** whether it is a node of a Redis Cluster */
  isClusterNode: boolean;
  /** whether it is still loading its data from disk */
  isLoading: boolean;
  /** what counts against maxmemory */
  usedMemoryBytes: number | null;
  /** 0: no limit */
  maxMemoryBytes: number | null;
  maxMemoryPolicy: string | null;
  /** keys deleted for lack of memory since the server started */
  evictedKeys: number | null;
  appendOnly: boolean | null;
  /** writes to disk of any kind whose last attempt failed; empty if none */
  failedWrites: string[];
  /** replicas that hold a copy of the data */
  replicas: number | null;
  connectedClients: number | null;
  maxClients: number | null;
}

/** INFO's fields for the status of disk writes, and what each is about. */
const writeStatuses = {
  aof_last_write_status: 'the last write to the append-only file',
  aof_last_bgrewrite_status: 'the last rewrite of the append-only file',
  rdb_last_bgsave_status: 'the last snapshot',
};

/** Parses INFO's answer: lines of `name:value` under headings that begin with #. */
export function parseRedisInfo(text: string): RedisServer {
  const fields = new Map(
    text.split(/\r?\n/).flatMap((line): [string, string][] => {
      const at = line.indexOf(':');
      return at <= 0 || line.startsWith('#') ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );
  const field = (name: string): string | null => fields.get(name) ?? null;
  const figure = (name: string): number | null => {
    const value = Number.parseInt(field(name) ?? '', 10);
    return Number.isNaN(value) ? null : value;
  };
  return {
    ...productOf(field),
    role: field('role'),
    isSentinel: field('redis_mode') === 'sentinel',
    isClusterNode: field('cluster_enabled') === '1',
    isLoading: field('loading') === '1',
    usedMemoryBytes: countedMemory(figure),
    maxMemoryBytes: figure('maxmemory'),
    maxMemoryPolicy: field('maxmemory_policy'),
    evictedKeys: figure('evicted_keys'),
    appendOnly: field('aof_enabled') === null ? null : field('aof_enabled') === '1',
    failedWrites: Object.entries(writeStatuses).flatMap(([name, what]) => (field(name) === 'err' ? [what] : [])),
    replicas: figure('connected_slaves'),
    connectedClients: figure('connected_clients'),
    maxClients: figure('maxclients'),
  };
}

/** Buffers for replicas and for the append-only file do not count against maxmemory. */
function countedMemory(figure: (name: string) => number | null): number | null {
  const used = figure('used_memory');
  return used === null ? null : Math.max(0, used - (figure('mem_not_counted_for_evict') ?? 0));
}

/** The others also report a redis_version: the version that they are compatible with. */
function productOf(field: (name: string) => string | null): Pick<RedisServer, 'product' | 'version'> {
  const dragonfly = field('dragonfly_version');
  if (dragonfly !== null) return { product: 'Dragonfly', version: dragonfly.replace(/^df-v?/, '') };
  const valkey = field('valkey_version');
  if (valkey !== null || field('server_name') === 'valkey') return { product: 'Valkey', version: valkey };
  const redis = field('redis_version');
  return { product: redis === null ? null : 'Redis', version: redis };
}
