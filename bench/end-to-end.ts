import { insertExecutions } from '../workers/execution-log/store.ts';
import { createCopy } from './contenders/copy.ts';
import { createCreateMany } from './contenders/create-many.ts';
import { createJobPerRow } from './contenders/job-per-row.ts';
import { createSluice, type SluiceContender } from './contenders/sluice.ts';
import { createStatement } from './contenders/statement.ts';
import { type ContenderResult, measureRounds } from './rounds.ts';
import type { Rows } from './rows.ts';
import type { Testbed } from './testbed.ts';

export interface EndToEndResult {
  sluice: { one: ContenderResult; two: ContenderResult };
  jobPerRow: ContenderResult;
  createMany: ContenderResult;
  insertStatement: ContenderResult;
  copy: ContenderResult;
}

/**
 * Lets all contenders store the same executions in the same table.
 *
 * @returns the figures, and Sluice with two workers, which stays up for the parts that follow
 * @throws Error if a contender lost a row or stored one too many
 */
export async function measureEndToEnd(
  testbed: Testbed,
  rows: Rows,
): Promise<{ results: EndToEndResult; fleet: SluiceContender }> {
  const fleet = await createSluice(testbed, { workers: 2 });
  const { one, two, ...others } = await measureRounds(testbed, testbed, rows, {
    one: await createSluice(testbed, { workers: 1 }),
    two: fleet,
    jobPerRow: await createJobPerRow(testbed),
    createMany: createCreateMany(testbed),
    insertStatement: createStatement<Rows>(testbed, 'the insert statement', insertExecutions),
    copy: await createCopy(testbed, rows),
  });
  return { results: { sluice: { one, two }, ...others }, fleet };
}
