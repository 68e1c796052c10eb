import type { Entry } from '../../producers/core/record-buffer.ts';

let made = 0;

/** A success of ten bytes that can be told from all others; `bytes` need not fit `json`. */
export function anEntry(overrides: Partial<Entry> = {}): Entry {
  made += 1;
  return { json: `{"n":${made}}`, bytes: 10, failure: false, ...overrides };
}
