import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Argument, type Command } from 'commander';
import { eraseSubject, type PlaceCounts, type SubjectErasure } from '../../erasure/erase-subject.ts';
import { type ErasureSubject, subjectKinds } from '../../shared/contracts/erasure-subject.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import { untilAskedToStop } from '../../shared/platform/lifecycle.ts';
import { confirm } from '../confirm.ts';
import type { CommandContext } from '../context.ts';
import { each, wholeNumber } from '../options/option-values.ts';
import { createErasureProgress } from '../output/erasure-progress.ts';
import { toCount } from '../output/figures.ts';
import { withDatabase, withRedis } from '../servers.ts';

interface EraseSubjectFlags {
  dryRun?: boolean;
  spill: string[];
  ownOnly?: boolean;
  wait: number;
  yes?: boolean;
  json?: boolean;
}

export function addEraseCommand(program: Command, context: CommandContext): void {
  program
    .command('erase')
    .description(
      'permanently erase a user or realm from tables, dead letters, queues and spill directories; safe to repeat',
    )
    .addArgument(new Argument('<kind>', 'what to erase').choices(subjectKinds))
    .argument('<id>', 'id of the user or realm as it appears in records; - reads it from standard input')
    .option('--dry-run', 'only count what would be erased in each place')
    .option('--spill <dir>', 'a SLUICE_SPILL_DIR of producers on this host; repeatable', each, [])
    .option('--own-only', 'do not blank references to the user or realm in other records')
    .option(
      '--wait <s>',
      'seconds to wait for workers and producers that still hold records',
      wholeNumber({ min: 0, max: 3_600 }),
      60,
    )
    .option('--yes', 'erase without asking')
    .option('--json', 'print the result as JSON')
    .action((kind: ErasureSubject['kind'], id: string, flags: EraseSubjectFlags) =>
      erase(context, { kind, id }, flags),
    );
}

/** The exit code is 1 if something is left. */
async function erase(context: CommandContext, given: ErasureSubject, flags: EraseSubjectFlags): Promise<void> {
  const { output, notes, exitWith } = context;
  const subject = { ...given, id: given.id === '-' ? await readLine() : given.id };
  if (subject.id.trim() === '') throw new UsageError(`no ${subject.kind} given: the id is empty`);
  for (const dir of flags.spill) {
    const found = await stat(dir).catch(() => null);
    if (!found?.isDirectory()) throw new UsageError(`${dir} is not a readable directory`);
  }
  const { dryRun = false, yes = false, json } = flags;
  const question = `Permanently erase the ${subject.kind} ${JSON.stringify(subject.id)}${flags.ownOnly ? '' : ' and blank references to it in other records'}? (--dry-run only counts.)`;
  if (!dryRun && !(await confirm(question, { yes }))) {
    notes.lines(['sluice: nothing was erased']);
    exitWith(1);
    return;
  }
  const report = await eraseShowing(context, subject, flags);
  if (!report.isDone) exitWith(1);
  if (json) output.json(dryRun ? { ...report, dryRun } : report);
  else output.lines(toLines(report, dryRun));
}

async function readLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line;
  return '';
}

/** Ctrl-C ends it between two steps. */
async function eraseShowing(
  context: CommandContext,
  subject: ErasureSubject,
  { dryRun = false, ownOnly = false, wait, spill }: EraseSubjectFlags,
): Promise<SubjectErasure> {
  const stopping = new AbortController();
  void untilAskedToStop().then(() => stopping.abort());
  const progress = createErasureProgress(1, 'pages of tables');
  try {
    return await withDatabase(context, 'erase', (database) =>
      withRedis(context, 'erase', (redis, { namespace }) =>
        eraseSubject({ database, redis, namespace, spillDirs: spill }, subject, {
          ...{ dryRun, ownOnly },
          waitMs: wait * 1_000,
          signal: stopping.signal,
          onProgress: ({ place, pages, totalPages }) => progress.show(pages, place, totalPages),
        }),
      ),
    );
  } finally {
    progress.stop();
  }
}

const places: Record<keyof PlaceCounts, string> = {
  executions: 'executions',
  requests: 'requests',
  deadLetters: 'dead letters',
  queuedRecords: 'records in queues',
  spilledRecords: 'records on disk',
};

/** For data of a newer version. */
const remedy = 'run `sluice erase` from that version';

function toLines({ erased, blanked, names, left, isDone }: SubjectErasure, dryRun: boolean): string[] {
  const would = dryRun ? 'would be ' : '';
  const list = (counts: PlaceCounts): string =>
    Object.entries(places)
      .map(([place, name]) => `${toCount(counts[place as keyof PlaceCounts])} ${name}`)
      .join(', ');
  const rest = [
    [left.heldJobs, 'jobs held by workers'],
    [left.unreadableJobs, `jobs written by a newer producer: ${remedy}`],
    [left.unreadableDeadLetters, `dead letters that are chunks of a newer producer: ${remedy}; discard damaged ones`],
    [left.unreadableChunks, `chunks on disk written by a newer producer: ${remedy}`],
    [left.livingSpills, 'directories of live producers that are waiting for Redis: let them send, or stop them'],
    [left.stuckRows, 'rows that take too long or are locked by another transaction: see pg_stat_activity'],
    [left.unreadableSegments, `segments on disk written by a newer producer: ${remedy}`],
  ] as const;
  return [
    `${would}erased: ${list(erased)}`,
    `${would}blanked in other records: ${list(blanked)}`,
    ...(names === 0 ? [] : [`${would}erased: ${toCount(names)} display names`]),
    ...rest.flatMap(([number, what]) => (number === 0 ? [] : [`remaining: ${toCount(number)} ${what}`])),
    ...(isDone ? [] : ['not everything is erased yet: run the command again']),
  ];
}
