import pg from 'pg';
import { CopyQuery, type ReadyCopy } from './copy-query.ts';
import { type StatementSettings, toSettingsOfTransaction, toSettingsStatement } from './statement-settings.ts';

/**
 * A connection whose statements bring their settings along, so that nothing depends on the session: behind a pooler, the
 * next statement may be in another one, and what is set there is left to strangers.
 *
 * A statement outside of a transaction goes out together with one that sets its settings, in a single message: PostgreSQL
 * takes both for one transaction, and the settings end with it. That costs no round trip, and a pooler, in whatever mode,
 * never sees a place to part them. A transaction gets its settings with its BEGIN.
 *
 * A connection on which a statement has had no answer in time is closed, so that nothing waits behind it.
 */
export function selfContainedClient(settings: StatementSettings): typeof pg.Client {
  const prelude = toSettingsStatement(settings);
  const ofTransaction = toSettingsOfTransaction(settings);

  return class SelfContainedClient extends pg.Client {
    // The driver's overloads cannot be restated one by one. A pool passes a callback, all others get a promise.
    override query(...args: unknown[]): never {
      const callback = args.find((argument) => typeof argument === 'function') as Callback | undefined;
      const config = toConfig(args[0], args[1]);
      if (callback !== undefined) {
        this.#send(config, callback);
        return undefined as never;
      }
      return new Promise((resolve, reject) => {
        this.#send(config, (error, result) => (error ? reject(withOwnStack(error)) : resolve(result)));
      }) as never;
    }

    #send(config: StatementConfig, callback: Callback): void {
      const query = this.#toQuery(config);
      query.callback = (error, result) => {
        callback(error, result);
        if (error?.message === unanswered) this.connection.stream.destroy();
      };
      super.query(query);
    }

    #toQuery(config: StatementConfig): DriverQuery {
      if (config.copy !== undefined) return new CopyQuery(config.copy, prelude) as unknown as DriverQuery;
      if (this.getTransactionStatus() !== 'I') return new pg.Query(config) as unknown as DriverQuery;
      if (!beginning.test(config.text)) return new SelfContainedQuery(config, prelude);
      const text = config.text.replace(beginning, (begin) => `${begin}; ${ofTransaction}`);
      return new pg.Query({ ...config, text }) as unknown as DriverQuery;
    }
  };
}

/** With what it may say of the transaction. */
const beginning = /^\s*(?:begin|start\s+transaction)\b[^;]*/i;

type Callback = (error: Error | null | undefined, result?: unknown) => void;

interface StatementConfig {
  text: string;
  values?: unknown[];
  /** in place of a text; not within a transaction */
  copy?: ReadyCopy;
}

/** What the driver says of a statement that `query_timeout` has passed over. */
const unanswered = 'Query read timeout';

function toConfig(statement: unknown, values: unknown): StatementConfig {
  const config = typeof statement === 'string' ? { text: statement } : (statement as StatementConfig);
  return Array.isArray(values) ? { ...config, values } : config;
}

/** The driver's error says where a socket was read; who asked is of more use. */
function withOwnStack(error: Error): Error {
  Error.captureStackTrace(error);
  return error;
}

/** The driver's own query, with the parts of it that are undocumented. */
interface DriverQuery {
  callback: Callback;
  submit(connection: pg.Connection): void;
}

interface DriverConnection {
  parse(statement: { text: string; name: string; types: undefined }): void;
  bind(portal: { portal: string; statement: string; values: []; binary: false }): void;
  execute(portal: { portal: string; rows: number }): void;
}

const DriverQueryClass = pg.Query as unknown as new (
  config: StatementConfig,
) => DriverQuery & {
  prepare(connection: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: unknown): void;
};

/** A statement with one that goes before it, whose row is of no interest, up to the same Sync. */
class SelfContainedQuery extends DriverQueryClass {
  readonly #prelude: string;
  #isPreludeDone = false;

  constructor(config: StatementConfig, prelude: string) {
    super(config);
    this.#prelude = prelude;
  }

  /** A plain query, which the driver sends for a statement without values, would be a transaction of its own. */
  requiresPreparation(): boolean {
    return true;
  }

  override prepare(connection: DriverConnection): void {
    connection.parse({ text: this.#prelude, name: '', types: undefined });
    connection.bind({ portal: '', statement: '', values: [], binary: false });
    connection.execute({ portal: '', rows: 0 });
    super.prepare(connection);
  }

  override handleDataRow(message: unknown): void {
    if (this.#isPreludeDone) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, connection: unknown): void {
    if (this.#isPreludeDone) super.handleCommandComplete(message, connection);
    this.#isPreludeDone = true;
  }
}
