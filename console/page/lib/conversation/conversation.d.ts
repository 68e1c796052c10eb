/** What the bodies of a request say, as the page and its tests see it. Every text in it is text of a body, never markup. */

export type Shape =
  | 'openai-chat'
  | 'openai-completions'
  | 'openai-responses'
  | 'openai-embeddings'
  | 'anthropic-messages'
  | 'gemini';

/** A stored body, as the API returns it. */
export interface Body {
  body: string;
  encoding: string;
  /** before truncation */
  bytes: number;
  /** true: only its beginning is stored */
  isCut: boolean;
}

export interface Conversation {
  /** null: the body is in no known shape, and is in the turns as it was stored */
  request: { shape: Shape | null; isStream: boolean };
  response: { shape: Shape | null; isStream: boolean };
  /** those of the request first */
  turns: Turn[];
  /** what the request says beside its turns, such as the model, its tools and the temperature */
  settings: Field[];
  /** what the response says beside its turns, such as its usage */
  answer: Field[];
  /** what could not be read, and why: sentences of the page's own, without any text of a body */
  remarks: string[];
}

export interface Turn {
  side: 'request' | 'response';
  /** such as `user`; of the body, so it may be anything */
  role: string;
  parts: Part[];
  /** why the model stopped, where a response says it */
  finish: string | null;
}

/** A name with a value of a body, as text: JSON unless the value is a string. */
export interface Field {
  name: string;
  text: string;
}

export type Part =
  | { kind: 'text' | 'reasoning' | 'refusal'; text: string }
  /** `code`: its type, status or code; '' if there is none */
  | { kind: 'error'; text: string; code: string }
  /** an image and the like: what it is, but not its bytes */
  | {
      kind: 'media';
      media: 'image' | 'audio' | 'video' | 'file';
      /** of MIME; null: unknown */
      type: string | null;
      /** null: it is elsewhere */
      bytes: number | null;
      /** its name, address or id; null if there is none */
      name: string | null;
    }
  | { kind: 'call'; id: string | null; name: string; input: string; others: Field[]; result: Result | null }
  | Result
  /** numbers: the vectors of an embedding, or tokens */
  | { kind: 'numbers'; of: 'vector' | 'tokens'; length: number }
  /** fields that this page does not know, beside those that it does */
  | { kind: 'other'; fields: Field[] }
  /** as it was stored, because it is not understood */
  | { kind: 'raw'; text: string };

export interface Result {
  kind: 'result';
  /** of the call that it answers; null: unknown */
  callId: string | null;
  name: string | null;
  isError: boolean;
  parts: Part[];
}
