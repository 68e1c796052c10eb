import type { TargetStore } from '../rounds.ts';
import type { Testbed } from '../testbed.ts';

/** The tables of requests, as a target store. A request without its template, or the reverse, counts as a lost row. */
export async function openRequestTables(testbed: Testbed): Promise<TargetStore> {
  const client = await testbed.connect('the connection to the request tables');
  return {
    async reset() {
      await client.query('truncate request, request_template, request_tombstone, creator_erasure');
      await client.query('checkpoint');
    },
    async countRows() {
      const { rows } = await client.query<{ requests: number; templates: number }>(`
        select (select count(*)::int from request where state in ('completed', 'failed')) as requests,
          (select count(*)::int from request_template) as templates`);
      const { requests = 0, templates = 0 } = rows[0] ?? {};
      if (requests !== templates)
        throw new Error(`${requests} requests have ended, and there are ${templates} templates`);
      return requests;
    },
  };
}
