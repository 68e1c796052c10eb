/** What somebody asks a model. */
export interface Question {
  model: string;
  /** of the person who asks */
  prompt: string;
  stream: boolean;
  /** answered at once, and processed later */
  background: boolean;
  /** the result of a tool that the model has called before; null: it has called none */
  toolResult: string | null;
}

/** What a model has said, and what it says it has used. */
export interface Answer {
  /** a UUID */
  id: string;
  model: string;
  text: string;
  /** a tool that it calls at the end; null: none */
  toolCall: { name: string; input: object } | null;
  usage: Usage;
}

export interface Usage {
  /** all input, what came from a cache included */
  inputTokens: number;
  /** of the input */
  cachedTokens: number;
  /** all output, reasoning included */
  outputTokens: number;
  /** of the output */
  reasoningTokens: number;
}

/** The bodies of an API of models, as its documentation has them. */
export interface ModelApi {
  /** @param model which it is, where the path says so */
  endpoint(model: string, stream: boolean): string;
  toRequest(question: Question): string;
  /** an answer in one piece */
  toResponse(answer: Answer): string;
  /** an answer as a stream; one that was interrupted lacks its end */
  toStream(answer: Answer, options: { isBrokenOff: boolean }): string;
}

/** The text that one event of a stream carries, in bytes. */
const eventTextBytes = 64;

/** The pieces in which a text arrives. */
export function toPieces(text: string): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length; start += eventTextBytes)
    pieces.push(text.slice(start, start + eventTextBytes));
  return pieces;
}

export function toEvent(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** An event with a name, which its data repeats. */
export function toNamedEvent(type: string, rest: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
}

/** The tool of the demo, in the words that an API has for it. */
export const toolName = 'search_documents';
export const toolInput = { query: 'invoice 4711', limit: 5 };
export const toolSchema = {
  type: 'object',
  properties: { query: { type: 'string' }, limit: { type: 'integer' } },
  required: ['query'],
};
export const instructions = 'You answer questions about invoices and deliveries, briefly.';
