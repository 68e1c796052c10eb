import { createRandom } from '../random.ts';
import type { TraceRow } from '../trace-file.ts';

/** A request that somebody sends through the demo's gateway, and how it will proceed. */
export type RequestEvent = TraceRow & {
  /** the index of its creator, from 0 */
  creator: number;
  model: string;
  endpoint: string;
  /** in one piece, as a stream, or answered at once and processed in the background */
  kind: 'plain' | 'stream' | 'background';
  /** of HTTP; 499 if the caller disconnects before the answer */
  statusCode: number;
  /** the stream is interrupted */
  isBrokenOff: boolean;
  /** from arrival to end */
  durationMs: number;
  /** the gateway reports its end twice, as after a lost reply */
  isRepeated: boolean;
};

export type GenerateRequestsOptions = {
  /** The number of requests, a whole number >= 0. */
  count: number;
  seed: number;
  /** Mean rate of arrivals per second of `atMs`. */
  perSecond: number;
};

export const creatorCount = 5;
/** The status of a request whose caller disconnected. */
export const abandoned = 499;

const models = ['gpt-5', 'claude-opus', 'llama-70b', 'qwen-coder'];
const clientErrors = [400, 401, 404, 429];
const serverErrors = [500, 502, 503];
const maxContextTokens = 16_000;
const maxGeneratedTokens = 4_000;

/** Generates requests: Poisson arrivals, most of them small and some large. The same options give the same requests. */
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
    // A power of a uniform number: half of the prompts are below 1,000 tokens, half of the answers below 250.
    const contextTokens = 20 + Math.floor(maxContextTokens * random() ** 4);
    const generatedTokens = 1 + Math.floor(maxGeneratedTokens * random() ** 4);
    yield drawRequest({ atMs, contextTokens, generatedTokens }, random);
  }
}

/** Turns the rows of a trace into requests with the same times and sizes; everything else is drawn. */
export async function* toRequests(
  rows: AsyncIterable<TraceRow> | Iterable<TraceRow>,
  seed: number,
): AsyncGenerator<RequestEvent, void, undefined> {
  const random = createRandom(seed);
  for await (const row of rows) yield drawRequest(row, random);
}

/**
 * Draws how a request proceeds. Of 100, about 40 are streams and 10 are processed in the background; 4 end with a 4xx status, 2
 * with 5xx, 3 are abandoned by their callers, and 3 are reported twice. Of 100 streams, 2 are interrupted.
 *
 * @param random gives 0 <= n < 1; every request draws the same number of them
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
  // Nobody waits for a background request, so nobody abandons it.
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
