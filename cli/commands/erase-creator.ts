import { type Erasure, eraseCreator } from '../../erasure/erase-creator.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import { untilAskedToStop } from '../../shared/platform/lifecycle.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { confirm } from '../confirm.ts';
import type { CommandContext } from '../context.ts';
import { createErasureProgress } from '../output/erasure-progress.ts';
import { toCount } from '../output/figures.ts';

export interface EraseFlags {
  dryRun?: boolean;
  chunk: number;
  yes?: boolean;
  json?: boolean;
}

/** Erases what a creator has requested, after a person has confirmed. The exit code is 1 if some of it is left. */
export async function erase(
  database: Database,
  { output, notes, exitWith }: CommandContext,
  createdBy: string,
  { dryRun, chunk, yes = false, json }: EraseFlags,
): Promise<void> {
  if (createdBy.trim() === '') throw new UsageError('the creator is empty: give its id');
  const requests = await database.request.count({ where: { createdBy } });
  if (dryRun) {
    if (json) output.json({ wouldErase: requests });
    else output.lines([`${toCount(requests)} requests created by ${JSON.stringify(createdBy)} would be erased`]);
    return;
  }
  const question = `Permanently erase ${toCount(requests)} requests created by ${JSON.stringify(createdBy)}, their dead letters, and any that are still in the queue?`;
  if (!(await confirm(question, { yes }))) {
    notes.lines(['sluice: nothing was erased']);
    exitWith(1);
    return;
  }
  const erasure = await eraseShowing(database, createdBy, { chunk, requests });
  if (!erasure.isDone) exitWith(1);
  if (json) output.json(erasure);
  else output.lines([toText(erasure)]);
}

/** Ctrl-C ends it between two transactions. */
async function eraseShowing(
  database: Database,
  createdBy: string,
  { chunk, requests }: { chunk: number; requests: number },
): Promise<Erasure> {
  const stopping = new AbortController();
  void untilAskedToStop().then(() => stopping.abort());
  const progress = createErasureProgress(requests, 'requests erased');
  try {
    return await eraseCreator(database, createdBy, {
      chunk,
      signal: stopping.signal,
      onProgress: (erased) => progress.show(erased.requests, `${erased.deadLetters} dead letters`),
    });
  } finally {
    progress.stop();
  }
}

function toText({ requests, deadLetters, isDone }: Erasure): string {
  const erased = `${toCount(requests)} requests and ${toCount(deadLetters)} dead letters erased`;
  return isDone ? erased : `stopped early: ${erased}; run the command again to erase the rest`;
}
