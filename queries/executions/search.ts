import { UsageError } from '../../shared/platform/errors.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { ExecutionContent } from './content.ts';
import { type ExecutionPosition, parseCursor, toCursor } from './cursor.ts';
import { checkLimit, cutAtPartitions, daySlices, type ExecutionPage, toSlices } from './list.ts';
import { type ExecutionFilter, toCandidatesStatement, toMatchesStatement } from './list-statement.ts';
import { inSnapshot, type Snapshot } from './snapshot.ts';
import type { ExecutionSummary } from './summary.ts';
import { checkWindow, type WindowRequest } from './window.ts';

/** What an answer of a search has looked through. */
export interface SearchedExecutions {
  executions: number;
  /** when the oldest of them was recorded; null: there was none */
  since: Date | null;
}

/** The most executions, and the most stored bytes of traces and inputs, that one answer looks through; but always one. */
export const mostSearchedExecutions = { executions: 5_000, bytes: 32 * 1_024 * 1_024 } as const;

/** What to search for. */
export interface ExecutionSearch {
  strategyId: string;
  window: WindowRequest;
  filter?: ExecutionFilter;
  content: ExecutionContent;
  /** executions in a page, 1 to 200. @default 50 */
  limit?: number;
  /** as returned with the previous page */
  cursor?: string | null;
  /** of a statement. @default the database's own timeout */
  timeoutMs?: number;
  most?: { executions: number; bytes: number };
}

type Candidate = ExecutionPosition & { bytes: number };

/**
 * Searches the traces and inputs of a strategy's executions, newest first. Each answer looks through a limited number of them, so a
 * page may be short or empty and yet have a cursor to go on with. The pages together contain each execution once.
 *
 * @throws UsageError if the limit is out of range, the cursor is invalid, or the window is empty
 */
export async function searchExecutions(
  database: Database,
  question: ExecutionSearch,
): Promise<ExecutionPage & { searched: SearchedExecutions }> {
  const { limit = 50, cursor, most = mostSearchedExecutions, timeoutMs } = question;
  checkLimit(limit);
  const after = cursor == null ? null : parseCursor(cursor);
  const slices = toSlices(checkWindow(question.window), after);
  const search = new Search(question, { after, limit, most });
  const read = (windows: readonly WindowRequest[]): Promise<void> =>
    inSnapshot(
      database,
      async (snapshot) => {
        for (const window of windows) if (!search.isOver) await search.readWindow(snapshot, window);
      },
      timeoutMs,
    );
  await read(slices.slice(0, daySlices));
  for (const rest of slices.slice(daySlices)) {
    if (search.isOver) break;
    for (const window of await cutAtPartitions(database, rest)) if (!search.isOver) await read([window]);
  }
  return search.toPage();
}

/** One answer under way: what it has found, and what it may still read. */
class Search {
  /** the page is full, or as much has been read as one answer may */
  isOver = false;
  readonly #question: ExecutionSearch;
  readonly #after: ExecutionPosition | null;
  readonly #limit: number;
  readonly #most: { executions: number; bytes: number };
  readonly #found: ExecutionSummary[] = [];
  #executions = 0;
  #bytes = 0;
  #last: ExecutionPosition | null = null;

  constructor(
    question: ExecutionSearch,
    options: { after: ExecutionPosition | null; limit: number; most: { executions: number; bytes: number } },
  ) {
    this.#question = question;
    this.#after = options.after;
    this.#limit = options.limit;
    this.#most = options.most;
  }

  async readWindow(snapshot: Snapshot, window: WindowRequest): Promise<void> {
    const { strategyId, filter, content } = this.#question;
    const listed = { window, after: this.#after, ...(filter === undefined ? {} : { filter }) };
    const rows = this.#most.executions - this.#executions;
    const candidates = await snapshot.$queryRaw<Candidate[]>(
      toCandidatesStatement(strategyId, listed, content, rows + 1),
    );
    const read = this.#within(candidates.slice(0, rows));
    const last = read.at(-1);
    if (read.length < candidates.length) this.isOver = true;
    if (last === undefined) return;
    const room = this.#limit - this.#found.length;
    const statement = toMatchesStatement(strategyId, { ...listed, content, last }, room + 1);
    const matches = await snapshot.$queryRaw<ExecutionSummary[]>(statement);
    this.#found.push(...matches.slice(0, room));
    // Where the page is full, what comes after its last execution has yet to be looked through.
    const lastShown = matches.length > room ? this.#found.at(-1) : undefined;
    if (lastShown !== undefined) this.isOver = true;
    const end = lastShown === undefined ? read.length : read.findIndex(({ id }) => id === lastShown.id) + 1;
    const through = read.slice(0, end);
    this.#executions += through.length;
    this.#last = through.at(-1) ?? this.#last;
  }

  /** The candidates that may still be read; the very first one in any case. */
  #within(candidates: readonly Candidate[]): Candidate[] {
    const read: Candidate[] = [];
    for (const candidate of candidates) {
      const isFirst = this.#executions + read.length === 0;
      if (!isFirst && this.#bytes + candidate.bytes > this.#most.bytes) break;
      this.#bytes += candidate.bytes;
      read.push(candidate);
    }
    return read;
  }

  toPage(): ExecutionPage & { searched: SearchedExecutions } {
    return {
      executions: this.#found,
      cursor: this.isOver && this.#last !== null ? toCursor(this.#last) : null,
      searched: { executions: this.#executions, since: this.#last?.recordedAt ?? null },
    };
  }
}

/** @throws UsageError since a search needs a strategy: only with one are runs in the order of their time without reading them all */
export function requireStrategy(strategyId: string | null): string {
  if (strategyId === null)
    throw new UsageError('a search in traces or inputs needs a strategy: node ids and inputs are those of its program');
  return strategyId;
}
