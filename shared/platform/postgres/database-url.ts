import { defaultSchema } from './schema.ts';

/** Where a database is and how to get in, as DATABASE_URL says. What is undefined is left to the driver and its defaults. */
export interface DatabaseAddress {
  /** in the order in which they are tried */
  hosts: readonly { host?: string; port?: number }[];
  user?: string;
  password?: string;
  database?: string;
  schema: string;
  tls: TlsDemand;
  targetSession: TargetSession;
  applicationName?: string;
  /** startup options of the server, sent as they are: only where the user asks for some */
  options?: string;
  channelBinding: boolean;
  /** `?pgbouncer=true`: a pooler is between */
  isPooled: boolean;
}

/** `none`: nothing is asked for. The others are libpq's, and node-postgres' own `no-verify`. */
export type TlsMode = 'none' | 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full' | 'no-verify';

export interface TlsDemand {
  mode: TlsMode;
  /** files */
  rootCert?: string;
  cert?: string;
  key?: string;
  negotiation?: 'postgres' | 'direct';
}

const targetSessions = ['any', 'read-write', 'primary', 'read-only', 'standby'] as const;
export type TargetSession = (typeof targetSessions)[number];

const tlsModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const;

/** What is wrong with a connection URL, in words that name no value: as the end of "accepted: …". */
export class DatabaseUrlError extends Error {
  override readonly name = 'DatabaseUrlError';
}

/** The parameters that are known. A value that a parameter does not take is refused with these words. */
const accepted: Record<string, [isAccepted: (value: string) => boolean, accepts: string]> = {
  schema: [
    isSchemaName,
    'a schema of 1 to 63 bytes that does not start with pg_ and has no quotes, backslashes, control characters or consecutive dollar signs',
  ],
  host: [isFilled, 'a non-empty parameter host'],
  port: [(value) => value.split(',').every(isPort), 'a parameter port from 1 to 65535'],
  user: [isFilled, 'a non-empty parameter user'],
  password: [isFilled, 'a non-empty parameter password'],
  dbname: [isFilled, 'a non-empty parameter dbname'],
  application_name: [isFilled, 'a non-empty parameter application_name'],
  options: [isFilled, 'a non-empty parameter options'],
  client_encoding: [(value) => /^(?:utf-?8|auto|unicode)$/i.test(value), 'client_encoding=UTF8'],
  sslmode: [isOneOf(...tlsModes), `sslmode=${tlsModes.join(', ')}`],
  sslrootcert: [isFilled, 'a parameter sslrootcert that names a file or is system'],
  sslcert: [isFilled, 'a parameter sslcert that names a file'],
  sslkey: [isFilled, 'a parameter sslkey that names a file'],
  sslnegotiation: [isOneOf('postgres', 'direct'), 'sslnegotiation=postgres or direct'],
  uselibpqcompat: [isOneOf('true'), 'uselibpqcompat=true, which has no effect: sslmode always works as in libpq'],
  channel_binding: [
    isOneOf('disable', 'prefer'),
    'channel_binding=disable or prefer; sslmode=verify-full authenticates the server',
  ],
  target_session_attrs: [isOneOf(...targetSessions), `target_session_attrs=${targetSessions.join(', ')}`],
  pgbouncer: [isOneOf('true', 'false'), 'pgbouncer=true or false'],
  statement_cache_size: [isOneOf('0'), 'statement_cache_size=0, because no statement is cached on the server'],
};

/** Parameters of Prisma and libpq that have a variable here. */
const replaced: Record<string, string> = {
  connection_limit: 'SLUICE_DATABASE_POOL_SIZE',
  pool_timeout: 'SLUICE_DATABASE_CONNECT_TIMEOUT_MS',
  connect_timeout: 'SLUICE_DATABASE_CONNECT_TIMEOUT_MS',
  socket_timeout: 'SLUICE_DATABASE_STATEMENT_TIMEOUT_MS',
  statement_timeout: 'SLUICE_DATABASE_STATEMENT_TIMEOUT_MS',
  ssl: 'the parameter sslmode, with one of the values of libpq',
};

const form = 'a URL that starts with postgresql:// or postgres://';

/**
 * Reads a connection URL as libpq does, several hosts included. A parameter that is not known is refused by its name, as
 * libpq does, since what it asks for would not be done.
 *
 * @throws DatabaseUrlError
 */
export function parseDatabaseUrl(text: string): DatabaseAddress {
  const [, authority, path = '', query = ''] =
    /^postgres(?:ql)?:\/\/([^/?#\s]*)(?:\/([^/?#\s]*))?(?:\?([^#\s]*))?$/i.exec(text) ?? [];
  if (authority === undefined) throw new DatabaseUrlError(form);
  const parameters = readParameters(query);
  const at = authority.lastIndexOf('@');
  const [user = '', ...passwordParts] = authority.slice(0, Math.max(0, at)).split(':');
  const mode = (parameters.get('sslmode') ?? 'none') as TlsMode;
  return {
    hosts: readHosts(authority.slice(at + 1), parameters),
    ...filled({
      user: parameters.get('user') ?? decode(user),
      password: parameters.get('password') ?? decode(passwordParts.join(':')),
      database: parameters.get('dbname') ?? decode(path),
      applicationName: parameters.get('application_name'),
      options: parameters.get('options'),
    }),
    schema: parameters.get('schema') ?? defaultSchema,
    tls: {
      mode,
      ...filled({
        rootCert: parameters.get('sslrootcert'),
        cert: parameters.get('sslcert'),
        key: parameters.get('sslkey'),
        negotiation: parameters.get('sslnegotiation') as 'postgres' | 'direct' | undefined,
      }),
    },
    targetSession: (parameters.get('target_session_attrs') ?? 'any') as TargetSession,
    channelBinding: parameters.get('channel_binding') === 'prefer',
    isPooled: parameters.get('pgbouncer') === 'true',
  };
}

function readParameters(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&').filter((one) => one !== '')) {
    const [name = '', ...valueParts] = pair.split('=').map(decode);
    const value = valueParts.join('=');
    const shownName = /^\w{1,40}$/.test(name) ? name : 'with this name';
    const instead = Object.hasOwn(replaced, name) ? replaced[name] : undefined;
    if (instead !== undefined) throw new DatabaseUrlError(`no parameter ${name}; use ${instead}`);
    const rule = Object.hasOwn(accepted, name) ? accepted[name] : undefined;
    if (rule === undefined)
      throw new DatabaseUrlError(`no parameter ${shownName}; the parameters are ${Object.keys(accepted).join(', ')}`);
    if (parameters.has(name)) throw new DatabaseUrlError(`the parameter ${name} only once`);
    const [isAccepted, accepts] = rule;
    if (!isAccepted(value)) throw new DatabaseUrlError(accepts);
    parameters.set(name, value);
  }
  checkTls(parameters);
  return parameters;
}

function checkTls(parameters: ReadonlyMap<string, string>): void {
  const mode = parameters.get('sslmode');
  const rootCert = parameters.get('sslrootcert');
  if (mode === 'verify-ca' && rootCert === undefined)
    throw new DatabaseUrlError('sslmode=verify-ca only with sslrootcert, the file of the trusted CA');
  if (rootCert === 'system' && mode !== 'verify-full')
    throw new DatabaseUrlError('sslrootcert=system only with sslmode=verify-full');
  if (parameters.has('sslcert') !== parameters.has('sslkey'))
    throw new DatabaseUrlError('sslcert and sslkey only together');
  const isPlain = mode === undefined || mode === 'disable';
  const needsTls = ['sslrootcert', 'sslcert', 'sslnegotiation'].find((name) => parameters.has(name));
  if (isPlain && needsTls !== undefined) throw new DatabaseUrlError(`${needsTls} only with an sslmode that uses TLS`);
  if (parameters.get('sslnegotiation') === 'direct' && (mode === 'allow' || mode === 'prefer'))
    throw new DatabaseUrlError('sslnegotiation=direct only with sslmode=require, verify-ca, verify-full or no-verify');
}

/** As libpq: hosts and ports of the parameters go before those of the authority; one port holds for all hosts. */
function readHosts(authority: string, parameters: ReadonlyMap<string, string>): DatabaseAddress['hosts'] {
  const named = authority.split(',').map((one) => {
    const [, host, port] = /^(\[[\da-f:.%]+\]|[^:[\]]*)(?::(\d*))?$/i.exec(one) ?? [];
    if (host === undefined || (port && !isPort(port))) throw new DatabaseUrlError(form);
    return { host: decode(host.replace(/^\[(.*)\]$/, '$1')), port: port ?? '' };
  });
  const hosts = parameters.get('host')?.split(',') ?? named.map(({ host }) => host);
  const ports = parameters.get('port')?.split(',') ?? named.map(({ port }) => port);
  if (ports.length !== 1 && ports.length !== hosts.length)
    throw new DatabaseUrlError('one port, or as many ports as hosts');
  return hosts.map((host, index) => {
    const port = (ports.length === 1 ? ports[0] : ports[index]) ?? '';
    return { ...filled({ host }), ...(port === '' ? {} : { port: Number(port) }) };
  });
}

/** Without what is empty: an empty user is none. */
function filled<T extends Record<string, string | undefined>>(values: T) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== '')) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new DatabaseUrlError(`${form} and in which a % in a name or password is written as %25`);
  }
}

function isSchemaName(value: string): boolean {
  return /^(?!pg_|.*\$\$)[^"'\\\p{Cc}]+$/u.test(value) && Buffer.byteLength(value) <= 63;
}

function isFilled(value: string): boolean {
  return value !== '' && !value.includes('\0');
}

function isPort(value: string): boolean {
  return value === '' || (/^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535);
}

function isOneOf(...values: readonly string[]): (value: string) => boolean {
  return (value) => values.includes(value);
}
