import { LazyRecord } from '../../producers/core/lazy-record.ts';
import type { Entry } from '../../producers/core/record-buffer.ts';

let made = 0;

/** A success of ten bytes that can be told from all others; `bytes` need not fit `json`. */
export function anEntry({
  json,
  bytes = 10,
  failure = false,
  hasSpan = false,
}: {
  json?: string;
  bytes?: number;
  failure?: boolean;
  hasSpan?: boolean;
} = {}): Entry {
  made += 1;
  const text = json ?? `{"n":${made}}`;
  return { record: new LazyRecord({ bytes, hasSpan, write: () => ({ json: text, bytes }) }), bytes, failure };
}
