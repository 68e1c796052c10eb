import type { BodyEncoding, ServiceTier } from '../../shared/contracts/completed-request.ts';
import { jsonOrNull } from '../../shared/platform/json-or-null.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { RequestState, RequestSummary } from './list-requests.ts';

/** A stored body. */
export interface StoredBody {
  /** text, or base64, as its encoding says */
  body: string;
  encoding: BodyEncoding;
  /** before truncation */
  bytes: number;
  /** true: only the beginning is stored */
  isCut: boolean;
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
}

/** A request by its id; null if there is none. */
export async function findRequest(database: Database, id: string): Promise<StoredRequest | null> {
  const row = await database.request.findUnique({ where: { id }, include: { template: true } });
  if (row === null) return null;
  const { template } = row;
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
      body: template.body,
      encoding: template.bodyEncoding as BodyEncoding,
      bytes: Number(template.bodyByteSize),
      isCut: template.bodyCut,
    },
    response:
      row.responseBody === null
        ? null
        : {
            status: row.responseStatus,
            body: row.responseBody,
            encoding: (row.responseEncoding ?? 'utf8') as BodyEncoding,
            bytes: Number(row.responseSize),
            isCut: row.responseCut,
            isStream: row.responseStream,
            isIncomplete: row.responseIncomplete,
          },
    error: row.error === null ? null : withBody(row.error, row.responseBody),
    notes: row.notes,
    traceId: row.traceId,
    spanId: row.spanId,
    createdAt: row.createdAt,
    storedAt: row.storedAt,
    startedAt: row.startedAt,
    completedAt: row.completedAt,
    failedAt: row.failedAt,
    canceledAt: row.canceledAt,
  };
}

/** The failure as it was before its body was taken out, which the row stores only once. Other texts stay unchanged. */
export function withBody(error: string, body: string | null): string {
  const envelope = jsonOrNull(error) as { type?: unknown; details?: object } | null;
  if (body === null || envelope?.type !== 'NonRetriableHttpStatus' || envelope.details === undefined) return error;
  return JSON.stringify({ ...envelope, details: { ...envelope.details, body } });
}
