import pg from 'pg';

/** Rows that are stored by COPY, all or none. */
export interface Copy {
  /** a query that tells by a row that they must not be stored like this */
  veto: string;
  tables: readonly CopyIntoTable[];
  /** what else belongs to it: run when the rows are there, in the same transaction */
  also: readonly { statement: readonly [before: string, after: string, ...more: string[]]; json: string }[];
}

/** The same as SQL. */
export interface ReadyCopy extends Pick<Copy, 'veto' | 'tables'> {
  after: readonly string[];
}

/** Rows of one table. */
export interface CopyIntoTable {
  /** `copy … from stdin` */
  statement: string;
  /** in the text format of COPY, each with whole rows */
  lines: readonly Buffer[];
}

/** The driver's own query, with the parts of it that are undocumented. */
interface DriverQuery {
  _result: { rows: unknown[] };
  handleError(error: Error, connection: DriverConnection): void;
}

/** The driver's connection, likewise. */
interface DriverConnection {
  stream: { cork(): void; uncork(): void; write(bytes: Buffer): boolean };
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
}

const DriverQueryClass = pg.Query as unknown as new (config: { text: string; rowMode: 'array' }) => DriverQuery;

/** Message type and length. */
const headBytes = 5;
const copyData = 'd'.charCodeAt(0);

/** What a query fails with that its veto has ended. */
export class VetoedError extends Error {
  override readonly name = 'VetoedError';
}

/**
 * COPY in a single message of several statements, which PostgreSQL takes for one transaction: the settings, the veto, a COPY
 * for each table, and what else belongs to it. So it costs one round trip for each table, and a pooler in transaction mode never sees a place to part them.
 */
export class CopyQuery extends DriverQueryClass {
  readonly #tables: readonly CopyIntoTable[];
  #next = 0;
  #isVetoed = false;

  /** @param settings one statement that sets the settings of a transaction */
  constructor({ veto, tables, after }: ReadyCopy, settings: string) {
    const statements = [settings, veto, ...tables.map(({ statement }) => statement), ...after];
    super({ text: statements.join('; '), rowMode: 'array' });
    this.#tables = tables;
  }

  handleCopyInResponse(connection: DriverConnection): void {
    // The veto is the last result before the first COPY.
    if (this.#next === 0 && this._result.rows.length > 0) {
      this.#isVetoed = true;
      connection.sendCopyFail('vetoed');
      return;
    }
    const { stream } = connection;
    const lines = this.#tables[this.#next]?.lines ?? [];
    this.#next += 1;
    stream.cork();
    for (const block of lines) {
      stream.write(copyDataHead(block.length));
      stream.write(block);
    }
    connection.endCopyFrom();
    stream.uncork();
  }

  override handleError(error: Error, connection: DriverConnection): void {
    super.handleError(this.#isVetoed ? new VetoedError('the veto had a row') : error, connection);
  }
}

/** @see https://www.postgresql.org/docs/current/protocol-message-formats.html, "CopyData" */
function copyDataHead(bytes: number): Buffer {
  const head = Buffer.allocUnsafe(headBytes);
  head[0] = copyData;
  head.writeInt32BE(4 + bytes, 1);
  return head;
}
