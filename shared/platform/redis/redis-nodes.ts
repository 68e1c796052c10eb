/** One server of several. */
export interface RedisNode {
  /** a name or an address, IPv6 without brackets */
  host: string;
  port: number;
}

/** Where a client reaches the nodes that a cluster calls by other addresses, by `host:port` as the cluster says it. */
export type NatMap = Record<string, RedisNode>;

/** What `parseRedisNodes` takes, in words that name no value. */
export const acceptedRedisNodes =
  'host:port,host:port,… with ports from 1 to 65535, an IPv6 address in brackets ([::1]:6379), and no scheme, user or password';

/** What `parseNatMap` takes, in words that name no value. */
export const acceptedNatMap =
  'a JSON object from each address that the cluster tells to the one to use, such as {"10.0.0.1:6379":{"host":"203.0.113.7","port":6379}}';

/** Parses `host:port,host:port,…`; null when any of them is no such pair, or there is none. */
export function parseRedisNodes(text: string): RedisNode[] | null {
  const nodes = text.split(',').map((part) => parseNode(part.trim()));
  return nodes.every((node) => node !== null) ? nodes : null;
}

function parseNode(text: string): RedisNode | null {
  const [, address, name, digits] = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = address ?? name;
  const port = Number(digits);
  return host === undefined || !isPort(port) ? null : { host, port };
}

/** Parses a NAT map as ioredis takes it, as JSON; null when it is none. */
export function parseNatMap(text: string): NatMap | null {
  try {
    const map: unknown = JSON.parse(text);
    const isMap = typeof map === 'object' && map !== null && !Array.isArray(map) && Object.values(map).every(isNode);
    return isMap ? (map as NatMap) : null;
  } catch {
    return null;
  }
}

function isNode(value: unknown): value is RedisNode {
  const { host, port } = (value ?? {}) as { host?: unknown; port?: unknown };
  return typeof host === 'string' && host !== '' && isPort(port);
}

function isPort(port: unknown): port is number {
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535;
}
