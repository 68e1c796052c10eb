import {
  acceptedNatMap,
  acceptedRedisNodes,
  type NatMap,
  parseNatMap,
  parseRedisNodes,
  type RedisNode,
} from './redis-nodes.ts';
import { acceptedRedisUrls, checkRedisUrl, isRedisUrl } from './redis-url.ts';

/** Where Redis is, as a person writes it. Exactly one of `url`, `sentinelNodes` and `clusterNodes` is given. */
export interface RedisSettings {
  /** `redis://…` or `rediss://…`: one server */
  url: string | null;
  /** `host:port,host:port,…`: Sentinels, which know the primary */
  sentinelNodes: string | null;
  /** what the Sentinels call the primary */
  sentinelMasterName: string | null;
  sentinelUsername: string | null;
  sentinelPassword: string | null;
  /** `host:port,host:port,…`: some nodes of a Redis Cluster, which tell the others */
  clusterNodes: string | null;
  /** JSON, from addresses that the cluster tells to those to use: `{"10.0.0.1:6379":{"host":"203.0.113.7","port":6379}}` */
  clusterNatMap: string | null;
  /** where the URL names none */
  username: string | null;
  password: string | null;
  /** number of the database, where the URL names none; not with a cluster */
  db: number | null;
  /** for the two lists of nodes; a URL says it with rediss:// */
  tls: boolean;
  /** path of a PEM file: what signed the server's certificate, instead of what Node.js trusts */
  tlsCaFile: string | null;
  /** paths of PEM files: the client's certificate and its key */
  tlsCertFile: string | null;
  tlsKeyFile: string | null;
  /** the name that the server's certificate has to be for, where it is not the host */
  tlsServername: string | null;
}

/** The environment variable of each setting. */
export const redisVariables = {
  url: 'REDIS_URL',
  sentinelNodes: 'REDIS_SENTINEL_NODES',
  sentinelMasterName: 'REDIS_SENTINEL_MASTER_NAME',
  sentinelUsername: 'REDIS_SENTINEL_USERNAME',
  sentinelPassword: 'REDIS_SENTINEL_PASSWORD',
  clusterNodes: 'REDIS_CLUSTER_NODES',
  clusterNatMap: 'REDIS_CLUSTER_NAT_MAP',
  username: 'REDIS_USERNAME',
  password: 'REDIS_PASSWORD',
  db: 'REDIS_DB',
  tls: 'REDIS_TLS',
  tlsCaFile: 'REDIS_TLS_CA_FILE',
  tlsCertFile: 'REDIS_TLS_CERT_FILE',
  tlsKeyFile: 'REDIS_TLS_KEY_FILE',
  tlsServername: 'REDIS_TLS_SERVERNAME',
} as const satisfies Record<keyof RedisSettings, string>;

/** No setting at all. */
export const noRedis: RedisSettings = {
  ...{ url: null, sentinelNodes: null, sentinelMasterName: null, sentinelUsername: null, sentinelPassword: null },
  ...{ clusterNodes: null, clusterNatMap: null, username: null, password: null, db: null },
  ...{ tls: false, tlsCaFile: null, tlsCertFile: null, tlsKeyFile: null, tlsServername: null },
};

/** TLS, with the files that are not read yet; all null: what Node.js trusts, and no certificate of its own. */
export interface RedisTls {
  caFile: string | null;
  certFile: string | null;
  keyFile: string | null;
  servername: string | null;
}

interface Access {
  username: string | null;
  password: string | null;
  /** null: without TLS */
  tls: RedisTls | null;
}

/** Where Redis is, checked: what every client of it is made from. */
export type RedisTarget =
  | (Access & { topology: 'server'; url: string; db: number | null })
  | (Access & {
      topology: 'sentinel';
      sentinels: RedisNode[];
      masterName: string;
      sentinelUsername: string | null;
      sentinelPassword: string | null;
      db: number | null;
    })
  | (Access & { topology: 'cluster'; nodes: RedisNode[]; natMap: NatMap });

/** One of them is given. */
const places = ['url', 'sentinelNodes', 'clusterNodes'] as const;
type Place = (typeof places)[number];

/** Settings that mean something in one place only. */
const belongsTo: Partial<Record<keyof RedisSettings, Place>> = {
  sentinelMasterName: 'sentinelNodes',
  sentinelUsername: 'sentinelNodes',
  sentinelPassword: 'sentinelNodes',
  clusterNatMap: 'clusterNodes',
};
const tlsDetails = ['tlsCaFile', 'tlsCertFile', 'tlsKeyFile', 'tlsServername'] as const;

/** How a problem names a setting. @default the environment variable */
export type NameOf = (setting: keyof RedisSettings) => string;
const nameOfVariable: NameOf = (setting) => redisVariables[setting];

/**
 * Where the settings lead.
 *
 * @returns null when no place is given; throws nothing
 */
export function parseRedisSettings(
  settings: RedisSettings,
  nameOf: NameOf = nameOfVariable,
): { target: RedisTarget | null } | { problems: string[] } {
  const problems = findProblems(settings, nameOf);
  return problems.length > 0 ? { problems } : { target: toTarget(settings) };
}

/** Whether they say where Redis is. */
export function isRedisNamed(settings: RedisSettings): boolean {
  return places.some((place) => settings[place] !== null);
}

/** A server by its URL alone. @throws RangeError, which does not show the URL, when no client can be made from it */
export function redisAt(url: string): RedisTarget {
  checkRedisUrl(url);
  return toTarget({ ...noRedis, url }) as RedisTarget;
}

/** Every problem, each named by its setting; none shows a value. */
function findProblems(settings: RedisSettings, nameOf: NameOf): string[] {
  const given = places.filter((place) => settings[place] !== null);
  if (given.length > 1) return [`${given.map(nameOf).join(', ')}: only one of them can be set; remove the others`];
  const [place] = given;
  const problems: string[] = [];
  const tell = (setting: keyof RedisSettings, problem: string): void => {
    problems.push(`${nameOf(setting)}: ${problem}`);
  };
  if (settings.url !== null && !isRedisUrl(settings.url))
    tell('url', `an invalid value (not shown); accepted: ${acceptedRedisUrls}`);
  for (const list of ['sentinelNodes', 'clusterNodes'] as const)
    if (settings[list] !== null && parseRedisNodes(settings[list]) === null)
      tell(list, `a list of nodes that cannot be read; accepted: ${acceptedRedisNodes}`);
  if (settings.clusterNatMap !== null && parseNatMap(settings.clusterNatMap) === null)
    tell('clusterNatMap', `a map that cannot be read; accepted: ${acceptedNatMap}`);

  // Without a place, the rest may be another program's: REDIS_PASSWORD is a common name.
  if (place === undefined) return problems;
  for (const [setting, home] of Object.entries(belongsTo) as [keyof RedisSettings, Place][])
    if (settings[setting] !== null && home !== place)
      tell(setting, `it belongs to ${nameOf(home)}, and ${nameOf(place)} is set; remove it`);
  if (place === 'sentinelNodes' && !settings.sentinelMasterName)
    tell('sentinelMasterName', 'is missing; set it to the name that the Sentinels monitor the primary by');
  if (place === 'clusterNodes' && settings.db !== null && settings.db !== 0)
    tell('db', 'a Redis Cluster has only database 0; remove it, and keep fleets apart with SLUICE_NAMESPACE');
  problems.push(...findTlsProblems(settings, place, nameOf));
  return problems;
}

/** What would go over the wire unprotected although somebody meant otherwise. */
function findTlsProblems(settings: RedisSettings, place: Place, nameOf: NameOf): string[] {
  const { tlsCertFile: cert, tlsKeyFile: key } = settings;
  if ((cert === null) !== (key === null)) {
    const missing = cert === null ? 'tlsCertFile' : 'tlsKeyFile';
    return [`${nameOf(missing)}: is missing; a certificate and its key are set together`];
  }
  const asksForTls = [...(settings.tls ? (['tls'] as const) : []), ...tlsDetails.filter((name) => settings[name])];
  const [first] = asksForTls;
  if (first === undefined || usesTls(settings)) return [];
  return place === 'url'
    ? [`${nameOf(first)}: the URL asks for no TLS; write rediss:// in ${nameOf('url')}, or remove ${nameOf(first)}`]
    : [`${nameOf(first)}: it needs TLS; set ${nameOf('tls')} to true, or remove ${nameOf(first)}`];
}

function usesTls({ url, tls }: RedisSettings): boolean {
  return url === null ? tls : /^rediss:/i.test(url);
}

function toTarget(settings: RedisSettings): RedisTarget | null {
  const { url, username, password, db } = settings;
  const access = {
    username,
    password,
    tls: usesTls(settings)
      ? {
          caFile: settings.tlsCaFile,
          certFile: settings.tlsCertFile,
          keyFile: settings.tlsKeyFile,
          servername: settings.tlsServername,
        }
      : null,
  };
  if (url !== null) return { topology: 'server', url, db, ...access };
  if (settings.sentinelNodes !== null)
    return {
      topology: 'sentinel',
      sentinels: parseRedisNodes(settings.sentinelNodes) ?? [],
      masterName: settings.sentinelMasterName ?? '',
      sentinelUsername: settings.sentinelUsername,
      sentinelPassword: settings.sentinelPassword,
      db,
      ...access,
    };
  if (settings.clusterNodes === null) return null;
  return {
    topology: 'cluster',
    nodes: parseRedisNodes(settings.clusterNodes) ?? [],
    natMap: parseNatMap(settings.clusterNatMap ?? '{}') ?? {},
    ...access,
  };
}
