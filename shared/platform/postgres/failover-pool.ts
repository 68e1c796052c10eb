import pg from 'pg';
import { type TlsAttempt, tlsFailureOf } from './database-tls.ts';
import type { TargetSession } from './database-url.ts';

/** One way to connect. */
export interface Route {
  host?: string;
  port?: number;
  ssl: TlsAttempt;
}

type Connected = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: Error | boolean) => void,
) => void;

/**
 * A pool that knows several ways to connect: hosts, and with or without TLS. A new connection is tried on the way that worked
 * last, and from there on, each once, as libpq does it. The server has to be what `target` asks for.
 */
export class FailoverPool extends pg.Pool {
  readonly #routes: readonly Route[];
  #current = 0;

  constructor(
    { Client, ...options }: Omit<pg.PoolConfig, 'Client'> & { Client: typeof pg.Client },
    routes: readonly [Route, ...Route[]],
    target: TargetSession,
  ) {
    const currentRoute = (): Route => routes[this.#current] as Route;
    super({
      ...options,
      Client: class RoutedClient extends Client {
        constructor(config: pg.ClientConfig) {
          // The pool hides the password from those who copy its options.
          super({ ...config, ...(config.password && { password: config.password }), ...currentRoute() });
        }
      } as unknown as new () => pg.ClientBase,
      ...(target === 'any' ? {} : { onConnect: (client) => checkSession(client, target) }),
    });
    this.#routes = routes;
    // Its ROLLBACK was not had in time. Whoever got it next would be within that transaction.
    this.on('release', (_error, client) => {
      if (isWithinTransaction(client)) void client.end();
    });
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(connected: Connected): void;
  override connect(connected?: Connected): Promise<pg.PoolClient> | undefined {
    const found = this.#find();
    if (connected === undefined) return found;
    found.then(
      (client) => connected(undefined, client, client.release),
      (error: Error) => connected(error, undefined, () => undefined),
    );
    return undefined;
  }

  async #find(): Promise<pg.PoolClient> {
    const failures: unknown[] = [];
    for (let tried = 1; ; tried += 1) {
      const from = this.#current;
      try {
        return await super.connect();
      } catch (thrown) {
        failures.push(thrown);
        const next = tried < this.#routes.length ? nextRoute(this.#routes, from, thrown) : null;
        // What a server said tells more than that another one did not answer.
        if (next === null) throw named(failures.findLast(isOfServer) ?? thrown);
        // Another one that failed beside this may have gone on already.
        if (this.#current === from) this.#current = next;
      }
    }
  }
}

/** As the server said last. */
function isWithinTransaction(client: pg.PoolClient): boolean {
  return ['T', 'E'].includes(client.getTransactionStatus() ?? '');
}

/** The next way in turn that may do better. Wrong credentials are wrong everywhere. */
export function nextRoute(routes: readonly Route[], from: number, error: unknown): number | null {
  const before = routes[from];
  for (let step = 1; step < routes.length; step += 1) {
    const index = (from + step) % routes.length;
    const isSameHost = routes[index]?.host === before?.host && routes[index]?.port === before?.port;
    if (isSameHost ? isAboutTls(error) : !isForAllHosts(error)) return index;
  }
  return null;
}

/** No connection of the pool is free: not a matter of the way. */
const poolIsBusy = 'timeout exceeded when trying to connect';

/** That the server does no TLS, or wants it: 28000 is what pg_hba.conf says. */
function isAboutTls(error: unknown): boolean {
  return tlsFailureOf(error) !== null || (error as { code?: unknown }).code === '28000';
}

function isForAllHosts(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return message === poolIsBusy || (typeof code === 'string' && /^(?:28...|3D000|08P01)$/.test(code));
}

function isOfServer(error: unknown): boolean {
  return typeof (error as { severity?: unknown }).severity === 'string';
}

/** With the name of its kind where TLS is to blame: Node has some thirty codes for that, and the driver none. */
function named(thrown: unknown): unknown {
  const failure = tlsFailureOf(thrown);
  if (failure === null) return thrown;
  const { message } = thrown as Error;
  return Object.assign(new Error(message, { cause: thrown }), { code: failure });
}

/** @throws when the server is not what is asked for: with the code of a refused write, since a failover may be under way */
async function checkSession(client: pg.ClientBase, target: TargetSession): Promise<void> {
  const { rows } = await client.query<{ isStandby: boolean; isReadOnly: boolean }>(
    `select pg_is_in_recovery() as "isStandby", current_setting('transaction_read_only')::bool as "isReadOnly"`,
  );
  const isStandby = rows[0]?.isStandby === true;
  const isReadOnly = isStandby || rows[0]?.isReadOnly === true;
  const fits = {
    any: true,
    'read-write': !isReadOnly,
    'read-only': isReadOnly,
    primary: !isStandby,
    standby: isStandby,
  };
  if (fits[target]) return;
  const message = `no server matches target_session_attrs=${target} of DATABASE_URL`;
  throw Object.assign(new Error(message), { code: '25006', severity: 'FATAL' });
}
