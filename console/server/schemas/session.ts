import { z } from 'zod';

export const loginBody = z.strictObject({ token: z.string().min(1).max(500) });

export const session = z
  .object({
    access: z.enum(['operator', 'read', 'realm']),
    realm: z.string().nullable().describe('the only realm that is shown; null: all'),
    needsToken: z.boolean().describe('false: the console has no tokens, and everybody who reaches it is an operator'),
  })
  .meta({ id: 'Session' });
