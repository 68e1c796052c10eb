import { createRandom } from '../random.ts';
import type { TraceRow } from '../trace-file.ts';

/** A request that somebody sends through the demo's gateway, and how it will go. */
export type RequestEvent = TraceRow & {
  /** one of the creators, from 0 */
  creator: number;
  model: string;
  endpoint: string;
  /** in one piece, as a stream, or answered at once and worked on in the background */
  kind: 'plain' | 'stream' | 'background';
  /** of HTTP; 499 when the caller goes away before the answer */
  statusCode: number;
  /** the stream breaks off */
  isBrokenOff: boolean;
  /** from arrival to end */
  durationMs: number;
  /** the gateway reports its end twice, as after a reply that was lost */
  isRepeated: boolean;
};

export type GenerateRequestsOptions = {
  /** How many, a whole number >= 0. */
  count: number;
  seed: number;
  /** Mean rate of arrivals per second of `atMs`. */
  perSecond: number;
};

export const creatorCount = 5;
/** The status of a request whose caller went away. */
export const abandoned = 499;

const models = ['gpt-5', 'claude-opus', 'llama-70b', 'qwen-coder'];
const clientErrors = [400, 401, 404, 429];
const serverErrors = [500, 502, 503];
const maxContextTokens = 16_000;
const maxGeneratedTokens = 4_000;

/** Makes requests: Poisson arrivals, most of them small and some large, and the same ones for the same options. */
export function* generateRequests({
  count,
  seed,
  perSecond,
}: GenerateRequestsOptions): Generator<RequestEvent, void, undefined> {
  const random = createRandom(seed);
  const meanGapMs = 1_000 / perSecond;
  let atMs = 0;
  for (let made = 0; made < count; made += 1) {
    atMs += -Math.log(1 - random()) * meanGapMs;
    // A power of an even draw: half of the prompts are below 1,000 tokens, half of the answers below 250.
    const contextTokens = 20 + Math.floor(maxContextTokens * random() ** 4);
    const generatedTokens = 1 + Math.floor(maxGeneratedTokens * random() ** 4);
    yield drawRequest({ atMs, contextTokens, generatedTokens }, random);
  }
}

/** Turns the rows of a trace into requests at the same times and of the same sizes; all else is drawn. */
export async function* toRequests(
  rows: AsyncIterable<TraceRow> | Iterable<TraceRow>,
  seed: number,
): AsyncGenerator<RequestEvent, void, undefined> {
  const random = createRandom(seed);
  for await (const row of rows) yield drawRequest(row, random);
}

/**
 * Draws how a request goes. Of 100, about 40 are streams and 10 are worked on in the background; 4 end with a status of
 * 4xx, 2 with one of 5xx, 3 are given up by their callers, and 3 are reported twice. Of 100 streams 2 break off.
 *
 * @param random gives 0 <= n < 1; as many numbers are drawn for every request
 */
export function drawRequest(row: TraceRow, random: () => number): RequestEvent {
  const among = <T>(values: readonly [T, ...T[]] | readonly T[]): T =>
    values[Math.floor(values.length * random())] as T;
  const kindDraw = random();
  const endDraw = random();
  const isCut = random() < 0.02;
  const kind = kindDraw < 0.4 ? 'stream' : kindDraw < 0.5 ? 'background' : 'plain';
  const clientError = among(clientErrors);
  const serverError = among(serverErrors);
  // Nobody waits for a request in the background, so nobody goes away from it.
  const end = endDraw < 0.91 ? 200 : endDraw < 0.95 ? clientError : endDraw < 0.97 ? serverError : abandoned;
  const statusCode = kind === 'background' && end === abandoned ? 200 : end;
  return {
    ...row,
    creator: Math.floor(creatorCount * random() ** 2),
    model: among(models),
    endpoint: kind === 'background' || random() < 0.5 ? '/v1/responses' : '/v1/chat/completions',
    kind,
    statusCode,
    isBrokenOff: kind === 'stream' && statusCode === 200 && isCut,
    durationMs: Math.round(20 + 380 * random() ** 2),
    isRepeated: random() < 0.03,
  };
}
