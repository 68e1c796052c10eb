import { noFacts, type RequestFacts } from '../../../shared/facts/request-facts.ts';

/** A response in a shape of a provider, and what it says. */
export interface ModelAnswer {
  name: string;
  endpoint: string;
  model: string;
  statusCode: number;
  body: string;
  facts: RequestFacts;
}

/** What an answer says; the rest is null. */
export type Known = Partial<RequestFacts>;

export const chat = '/v1/chat/completions';
export const completions = '/v1/completions';
export const responses = '/v1/responses';
export const embeddings = '/v1/embeddings';
export const messages = '/v1/messages';
export const gemini = '/v1beta/models/gemini-2.5-flash:generateContent';
export const geminiStream = '/v1beta/models/gemini-2.5-flash:streamGenerateContent';
export const vertex = '/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:generateContent';

export const answer = (
  name: string,
  endpoint: string,
  body: unknown,
  facts: Known,
  more: Partial<ModelAnswer> = {},
) => ({
  ...{ name, endpoint, model: 'm-1', statusCode: 200 },
  body: typeof body === 'string' ? body : JSON.stringify(body),
  facts: { ...noFacts, ...facts },
  ...more,
});

/** Server-sent events as providers write them: with names where they are given. */
export const toEvents = (events: readonly (object | string)[], { named = false, end = '\n\n' } = {}): string =>
  events
    .map((event) => {
      const text = typeof event === 'string' ? event : JSON.stringify(event);
      const type = (event as { type?: string }).type;
      return `${named && type !== undefined ? `event: ${type}\n` : ''}data: ${text}${end}`;
    })
    .join('');

/** An answer as a stream, and the same in one piece. */
export interface StreamedAnswer {
  name: string;
  endpoint: string;
  model: string;
  stream: string;
  whole: string;
  /** what both say */
  facts: RequestFacts;
}

export const streamed = (
  name: string,
  endpoint: string,
  stream: string,
  whole: object,
  facts: Known,
  model = 'm-1',
): StreamedAnswer => ({
  ...{ name, endpoint, model, stream, whole: JSON.stringify(whole) },
  facts: { ...noFacts, ...facts },
});
