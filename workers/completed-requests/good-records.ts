import { randomUUID } from 'node:crypto';
import type { RequestRecord } from '../../shared/contracts/completed-request-schema.ts';

/** The beginning of a request that nobody made, and its end. */
export function goodRequests(nowMs: number): string[] {
  const now = new Date(nowMs).toISOString();
  const request = {
    requestId: randomUUID(),
    createdBy: 'sluice rehearsal',
    model: 'rehearsal',
    endpoint: '/v1/responses',
    serviceTier: 'default',
    startedAt: now,
    requestBody: '{}',
    requestEncoding: 'utf8',
    requestBytes: 2,
    requestCut: false,
    traceId: 'f'.repeat(32),
    spanId: 'f'.repeat(16),
    provider: 'rehearsal',
  } as const;
  const begun: RequestRecord = { phase: 'begun', ...request };
  const completed: RequestRecord = {
    phase: 'completed',
    ...request,
    statusCode: 200,
    completedAt: now,
    responseBody: '{}',
    responseEncoding: 'utf8',
    responseBytes: 2,
    responseCut: false,
    isStream: false,
    isIncomplete: false,
    firstTokenAt: now,
  };
  return [begun, completed].map((record) => JSON.stringify([record]));
}
