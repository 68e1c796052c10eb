import type { Turn } from './conversation.d.ts';
import type { Fields } from './fields.js';

/** Reads the turns out of a body, and leaves in its fields what it does not know. */
export type ReadSide = (fields: Fields) => Turn[];

export type JsonObject = Record<string, unknown>;

/**
 * What the events of a stream say: put together as the answer in one piece, and those that it does not contain whole, as they came.
 */
export interface Assembled {
  body: JsonObject;
  unread: string[];
}

/** An event of a stream. `json` is undefined if its data is no JSON. */
export interface JsonEvent {
  name: string | null;
  data: string;
  json: unknown;
}
