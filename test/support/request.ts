import { randomUUID } from 'node:crypto';
import type { CompletedRequest } from '../../producers/index.ts';

/** A plain request that ended well, with what a test cares about put over it. */
export function aRequest(overrides: Partial<CompletedRequest> = {}): CompletedRequest {
  return {
    requestId: randomUUID(),
    statusCode: 200,
    requestBody: '{"model":"m-1","input":"hello"}',
    responseBody: '{"output":"hi"}',
    model: 'm-1',
    endpoint: '/v1/responses',
    createdBy: 'user-1',
    startedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 0),
    completedAt: Date.UTC(2026, 0, 2, 3, 4, 6, 500),
    ...overrides,
  };
}
