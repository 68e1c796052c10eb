import { randomUUID } from 'node:crypto';
import type { Locator } from 'playwright-core';
import { storeRequests } from '../../workers/completed-requests/store.ts';
import { modelBodies } from '../support/model-bodies.ts';
import { aCompletion, type Completion } from '../support/requests.ts';
import type { TestPage } from './a-page.ts';
import type { Stage } from './stage.ts';

/** Stores a request with these bodies, now. @returns its id */
export async function aStored(stage: Stage, changes: Partial<Completion> = {}): Promise<string> {
  const startedAt = new Date(Date.now() - 60_000);
  const request = aCompletion({
    requestId: randomUUID(),
    startedAt: startedAt.toISOString(),
    completedAt: new Date(startedAt.getTime() + 1_400).toISOString(),
    ...changes,
  });
  await storeRequests(stage.database, JSON.stringify([request]));
  return request.requestId;
}

/** The bodies of a request in a shape. */
export const ofShape = (shape: keyof typeof modelBodies, isStream = false): Partial<Completion> => {
  const { path, request, plain, stream } = modelBodies[shape];
  const responseBody = isStream ? stream : JSON.stringify(plain);
  return {
    endpoint: path,
    model: String(request['model'] ?? 'gemini-2.5-flash'),
    requestBody: JSON.stringify(request),
    responseBody,
    isStream,
  };
};

/** Opens a request, and waits for what it says. */
export async function openRequest({ page }: TestPage, stage: Stage, id: string, more = ''): Promise<Locator> {
  await page.goto(`${stage.url}/?view=requests&request=${id}${more}`);
  const dialog = page.getByRole('dialog', { name: 'Request' });
  await dialog.getByRole('heading', { name: more === '' ? 'Conversation' : 'Difference' }).waitFor();
  return dialog;
}
