import type { BodyEncoding, ServiceTier } from '../../shared/contracts/completed-request.ts';
import { jsonOrNull } from '../../shared/platform/json-or-null.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { RequestState, RequestSummary } from './list-requests.ts';
import { findCost, type Money } from './request-cost.ts';

/** A stored body. */
export interface StoredBody {
  /** text, or base64, as its encoding says */
  body: string;
  encoding: BodyEncoding;
  /** before truncation */
  bytes: number;
  /** true: only the beginning is stored */
  isCut: boolean;
  /** the characters of what is stored that are left out here */
  leftOutChars: number;
}

/** What the bodies of a request say; null is what they do not say. */
export interface RequestFactsFound {
  provider: string | null;
  /** the shape of the bodies, such as openai-chat */
  api: string | null;
  /** all input tokens, those from a cache included */
  inputTokens: number | null;
  cachedTokens: number | null;
  /** all output tokens, those of reasoning included */
  outputTokens: number | null;
  reasoningTokens: number | null;
  finishReason: string | null;
  /** calls of tools that the response asks for */
  toolCalls: number | null;
  /** by the sender's clock */
  firstTokenAt: Date | null;
  /** by the prices of its time; null: no tokens, or no price for them */
  cost: Money | null;
}

/** A request with all its details. */
export interface StoredRequest
  extends Omit<RequestSummary, 'responseStatus' | 'responseBytes' | 'isStream' | 'isIncomplete' | 'durationMs'> {
  method: string;
  path: string;
  /** keyed hash of the API key */
  apiKeyHash: string | null;
  request: StoredBody;
  /** null if it has none yet */
  response: (StoredBody & { status: number | null; isStream: boolean; isIncomplete: boolean }) | null;
  /** the failure as JSON in the original's format: its kind, and the status and the body of the response; null if none */
  error: string | null;
  /** by the database's clock; null for a row that is older than the column */
  storedAt: Date | null;
  canceledAt: Date | null;
  facts: RequestFactsFound;
}

/**
 * A request by its id; null if there is none.
 *
 * @param options.maxBodyChars of each body; the rest is left out. @default all of it
 */
export async function findRequest(
  database: Database,
  id: string,
  { maxBodyChars = Number.POSITIVE_INFINITY }: { maxBodyChars?: number } = {},
): Promise<StoredRequest | null> {
  const row = await database.request.findUnique({ where: { id }, include: { template: true } });
  if (row === null) return null;
  const { template } = row;
  const responseBody = row.responseBody === null ? null : shortened(row.responseBody, maxBodyChars);
  return {
    id,
    state: row.state as RequestState,
    model: row.model,
    serviceTier: row.serviceTier as ServiceTier,
    createdBy: row.createdBy,
    method: template.method,
    path: template.path,
    apiKeyHash: template.apiKeyHash,
    request: {
      ...shortened(template.body, maxBodyChars),
      encoding: template.bodyEncoding as BodyEncoding,
      bytes: Number(template.bodyByteSize),
      isCut: template.bodyCut,
    },
    response:
      responseBody === null
        ? null
        : {
            status: row.responseStatus,
            ...responseBody,
            encoding: (row.responseEncoding ?? 'utf8') as BodyEncoding,
            bytes: Number(row.responseSize),
            isCut: row.responseCut,
            isStream: row.responseStream,
            isIncomplete: row.responseIncomplete,
          },
    error: row.error === null ? null : withBody(row.error, responseBody?.body ?? null),
    notes: row.notes,
    traceId: row.traceId,
    spanId: row.spanId,
    createdAt: row.createdAt,
    storedAt: row.storedAt,
    startedAt: row.startedAt,
    completedAt: row.completedAt,
    failedAt: row.failedAt,
    canceledAt: row.canceledAt,
    facts: {
      provider: row.provider,
      api: row.api,
      inputTokens: toNumber(row.inputTokens),
      cachedTokens: toNumber(row.cachedTokens),
      outputTokens: toNumber(row.outputTokens),
      reasoningTokens: toNumber(row.reasoningTokens),
      finishReason: row.finishReason,
      toolCalls: row.toolCalls,
      firstTokenAt: row.firstTokenAt,
      cost: row.inputTokens === null ? null : await findCost(database, id),
    },
  };
}

/** A stored body whole, in its bytes; null if there is no such request, or it has no such body. */
export async function findBody(database: Database, id: string, which: 'request' | 'response'): Promise<Buffer | null> {
  const row =
    which === 'request'
      ? await database.request.findUnique({ where: { id }, select: { template: true } })
      : await database.request.findUnique({ where: { id }, select: { responseBody: true, responseEncoding: true } });
  if (row === null) return null;
  const [body, encoding] =
    'template' in row ? [row.template.body, row.template.bodyEncoding] : [row.responseBody, row.responseEncoding];
  return body === null ? null : Buffer.from(body, encoding === 'base64' ? 'base64' : 'utf8');
}

/** No character is cut in half, and base64 only between its groups. */
function shortened(body: string, maxChars: number): Pick<StoredBody, 'body' | 'leftOutChars'> {
  if (body.length <= maxChars) return { body, leftOutChars: 0 };
  const kept = body
    .slice(0, maxChars - (maxChars % 4))
    .toWellFormed()
    .replace(/\uFFFD$/, '');
  return { body: kept, leftOutChars: body.length - kept.length };
}

function toNumber(value: bigint | null): number | null {
  return value === null ? null : Number(value);
}

/** The failure as it was before its body was taken out, which the row stores only once. Other texts stay unchanged. */
export function withBody(error: string, body: string | null): string {
  const envelope = jsonOrNull(error) as { type?: unknown; details?: object } | null;
  if (body === null || envelope?.type !== 'NonRetriableHttpStatus' || envelope.details === undefined) return error;
  return JSON.stringify({ ...envelope, details: { ...envelope.details, body } });
}
