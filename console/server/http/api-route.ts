import type { AccessNeed } from '../access/access.ts';
import { problems } from '../schemas/common.ts';

/**
 * The options of a route of the API.
 *
 * @param options its OpenAPI operation, with the schemas of what it takes, and of its answers by status. Any route may also answer
 *   with a problem
 */
export function apiRoute<Answers extends object, Operation extends object>(
  access: AccessNeed,
  { answers, ...operation }: Operation & { answers: Answers },
) {
  return { config: { access }, schema: { ...operation, response: { ...answers, ...problems } } };
}
