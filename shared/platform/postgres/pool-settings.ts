import { type Config, requireUrl } from '../config/config.ts';
import { omitUndefined } from '../omit-undefined.ts';
import { planTls } from './database-tls.ts';
import { type DatabaseAddress, parseDatabaseUrl } from './database-url.ts';
import type { Route } from './failover-pool.ts';
import { quoteIdentifier } from './schema.ts';

/** The schema that DATABASE_URL names: `?schema=`. */
export function schemaOf(config: Config['database']): string {
  return addressOf(config).schema;
}

/** @throws UsageError when DATABASE_URL is missing */
export function addressOf({ url }: Config['database']): DatabaseAddress {
  return parseDatabaseUrl(requireUrl(url, 'DATABASE_URL'));
}

/** Settings of the driver's pool. The startup message names the user, the database and the application, and nothing else. */
export function toPoolConfig(address: DatabaseAddress, config: Config['database'], name: string) {
  const { user, password, database, options } = address;
  return {
    ...omitUndefined({ user, password, database, options, sslnegotiation: address.tls.negotiation }),
    enableChannelBinding: address.channelBinding,
    application_name: address.applicationName ?? name,
    max: config.poolSize,
    connectionTimeoutMillis: config.connectTimeoutMs,
    idleTimeoutMillis: 60_000,
    query_timeout: config.statementTimeoutMs + 2_000,
    keepAlive: true,
  };
}

/** Each host with each way to do TLS that `sslmode` allows. */
export function toRoutes({ hosts, tls }: DatabaseAddress): [Route, ...Route[]] {
  const attempts = planTls(tls);
  // There is no TLS on a socket of this machine.
  const attemptsOn = (host: string | undefined) => (host?.startsWith('/') ? [false as const] : attempts);
  const routes = hosts.flatMap((host) => attemptsOn(host.host).map((ssl) => ({ ...host, ssl })));
  return routes as [Route, ...Route[]];
}

/** Settings of a pool for the schema engine, whose statements name no schema: it sends startup options, which a pooler refuses. */
export function poolSettings(config: Config['database'], name: string) {
  const address = addressOf(config);
  const { options, schema } = address;
  const searchPath = quoteIdentifier(schema).replaceAll(/[\\ ]/g, '\\$&');
  return {
    ...toPoolConfig(address, config, name),
    ...toRoutes(address)[0],
    statement_timeout: config.statementTimeoutMs,
    options: [options ?? '', `-c search_path=${searchPath}`, '-c TimeZone=UTC -c DateStyle=ISO'].join(' ').trim(),
  };
}
