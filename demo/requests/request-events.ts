import { createRandom } from '../random.ts';
import type { TraceRow } from '../trace-file.ts';
import { type ApiName, modelApis } from './apis/model-apis.ts';

/** A request that somebody sends through the demo's gateway, and how it will proceed. */
export type RequestEvent = TraceRow & {
  /** the index of its creator, from 0 */
  creator: number;
  model: string;
  /** who serves the model, as the gateway knows */
  provider: string;
  /** the shape of the bodies */
  api: ApiName;
  endpoint: string;
  /** the share of the context that the provider has in a cache, and that of the answer which is reasoning */
  cachedShare: number;
  reasoningShare: number;
  /** a tool was called before the request, and one is called by the answer */
  hasToolResult: boolean;
  hasToolCall: boolean;
  /** in one piece, as a stream, or answered at once and processed in the background */
  kind: 'plain' | 'stream' | 'background';
  /** of HTTP; 499 if the caller disconnects before the answer */
  statusCode: number;
  /** the stream is interrupted */
  isBrokenOff: boolean;
  /** from arrival to end */
  durationMs: number;
  /** from arrival to the first token, of streams */
  firstTokenMs: number;
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

type Served = Pick<RequestEvent, 'model' | 'provider' | 'api'>;

/** What is served, and by whom; only responses of OpenAI have a background, and embeddings no stream. */
const inBackground: Served = { model: 'gpt-5', provider: 'openai', api: 'openai-responses' };
const asStream: readonly Served[] = [
  inBackground,
  { model: 'gpt-5-mini', provider: 'openai', api: 'openai-chat' },
  { model: 'claude-opus-4-5', provider: 'anthropic', api: 'anthropic-messages' },
  { model: 'gemini-2.5-flash', provider: 'gcp.gemini', api: 'gemini' },
  { model: 'qwen-coder', provider: 'groq', api: 'openai-chat' },
];
const inOnePiece: readonly Served[] = [
  ...asStream,
  { model: 'text-embedding-3-small', provider: 'openai', api: 'openai-embeddings' },
];
/** The APIs that tell how much of an answer was reasoning. */
const tellReasoning: readonly ApiName[] = ['openai-responses', 'openai-chat', 'gemini'];
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
 * with 5xx, 3 are abandoned by their callers, and 3 are reported twice. Of 100 streams, 2 are interrupted. Half of the requests
 * find some of their context in a cache, and tools were called before, or are called by, a quarter of them.
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
  const creator = Math.floor(creatorCount * random() ** 2);
  const drawn = among(kind === 'stream' ? asStream : inOnePiece);
  const { model, provider, api } = kind === 'background' ? inBackground : drawn;
  const isText = api !== 'openai-embeddings';
  const cachedDraw = random();
  const reasoningDraw = random();
  const toolDraw = random();
  const durationMs = Math.round(20 + 380 * random() ** 2);
  return {
    ...row,
    creator,
    model,
    provider,
    api,
    endpoint: modelApis[api].endpoint(model, kind === 'stream'),
    cachedShare: isText && cachedDraw < 0.5 ? cachedDraw * 1.8 : 0,
    reasoningShare: tellReasoning.includes(api) && reasoningDraw < 0.4 ? reasoningDraw : 0,
    hasToolResult: isText && toolDraw < 0.15,
    hasToolCall: isText && toolDraw > 0.1 && toolDraw < 0.25,
    kind,
    statusCode,
    isBrokenOff: kind === 'stream' && statusCode === 200 && isCut,
    durationMs,
    firstTokenMs: Math.round(durationMs * (0.1 + 0.4 * random())),
    isRepeated: random() < 0.03,
  };
}
