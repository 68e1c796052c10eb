import type { Command } from 'commander';
import { type ArchiveListing, listArchives, type Manifest } from '../archive/manifest.ts';
import { restoreArchive, restoredName } from '../archive/restore-archive.ts';
import { findDamage } from '../archive/verify-archive.ts';
import { loadConfig } from '../shared/config.ts';
import { UsageError } from '../shared/errors.ts';
import { untilAskedToStop } from '../shared/lifecycle.ts';
import type { CommandContext } from './context.ts';
import { withDatabase } from './servers.ts';
import { toCount } from './text/figures.ts';
import { toTable } from './text/table.ts';

interface ArchiveFlags {
  dir?: string;
  json?: boolean;
}

export function addArchiveCommand(program: Command, context: CommandContext): void {
  const command = program.command('archive').description('executions that were archived before their day was dropped');
  const add = (name: string, description: string): Command =>
    command
      .command(name)
      .description(description)
      .option('--dir <dir>', 'the directory (default: SLUICE_ARCHIVE_DIR)')
      .option('--json', 'print the result as JSON');
  const what = 'a day such as 2026-03-01, or the name of a file';

  add(
    'list',
    'what is archived, the oldest first; exit code 1 when something there cannot be read or has lost its file',
  ).action((flags: ArchiveFlags) => list(context, flags));
  add('verify', 'read archives and compare them with what was archived; exit code 1 when one is damaged')
    .argument('[day]', `${what}; without it all`)
    .action((day: string | undefined, flags: ArchiveFlags) => verify(context, day ?? null, flags));
  add('restore', 'make a table with the rows of an archive; it is no part of the log, and retention leaves it alone')
    .argument('<day>', what)
    .option('--into <table>', 'the name of the table (default: strategy_execution_log_restored_DAY)')
    .action((day: string, flags: ArchiveFlags & { into?: string }) => restore(context, day, flags));
}

async function list(context: CommandContext, flags: ArchiveFlags): Promise<void> {
  const dir = dirOf(context, flags);
  const { manifests, ...flaws } = await listArchives(dir);
  if (isFlawed(flaws)) context.exitWith(1);
  const { output } = context;
  if (flags.json) {
    output.json({ dir, archives: manifests.map(({ columns, ...archive }) => archive), ...flaws });
    return;
  }
  if (manifests.length === 0) output.lines(['nothing is archived']);
  else {
    output.lines(
      toTable<Manifest>(
        [
          { title: 'from', cell: ({ from }) => from },
          { title: 'until', cell: ({ until }) => until },
          { title: 'rows', align: 'right', cell: ({ rows }) => toCount(rows) },
          { title: 'bytes', align: 'right', cell: ({ bytes }) => toCount(bytes) },
          { title: 'archived', optional: true, cell: ({ archivedAt }) => archivedAt },
          { title: 'file', cell: ({ file }) => file },
        ],
        manifests,
        output,
      ),
    );
  }
  output.lines(toLines(flaws));
}

type Flaws = Omit<ArchiveListing, 'manifests'>;

function isFlawed({ unreadable, withoutManifest, missing }: Flaws): boolean {
  return unreadable.length + withoutManifest.length + missing.length > 0;
}

function toLines({ unreadable, withoutManifest, missing }: Flaws): string[] {
  return [
    ...unreadable.map(({ name, reason }) => `${name} is no manifest that can be read: ${reason}`),
    ...withoutManifest.map(
      (name) => `${name} has no manifest, so it counts as no archive: delete it, or put the manifest back`,
    ),
    ...missing.map((name) => `${name} is not there, only its manifest: put the file back`),
  ];
}

async function verify(context: CommandContext, day: string | null, flags: ArchiveFlags): Promise<void> {
  const dir = dirOf(context, flags);
  const { manifests, ...flaws } = await listArchives(dir);
  const chosen = day === null ? manifests : choose(manifests, day);
  const { output } = context;
  const results: object[] = [];
  if (day === null && isFlawed(flaws)) context.exitWith(1);
  for (const manifest of chosen) {
    const damage = await findDamage(dir, manifest);
    if (damage !== null) context.exitWith(1);
    results.push({ file: manifest.file, rows: manifest.rows, damage });
    if (!flags.json)
      output.lines([`${manifest.file}: ${damage ?? `${toCount(manifest.rows)} rows, as they were archived`}`]);
  }
  if (flags.json) output.json({ dir, archives: results, ...(day === null ? flaws : {}) });
  else if (day === null) output.lines(toLines(flaws));
}

async function restore(context: CommandContext, day: string, flags: ArchiveFlags & { into?: string }): Promise<void> {
  const dir = dirOf(context, flags);
  const chosen = choose((await listArchives(dir)).manifests, day);
  const [manifest] = chosen;
  if (manifest === undefined || chosen.length > 1) {
    const names = chosen.map(({ file }) => `\n  ${file}`).join('');
    throw new UsageError(`there are several archives of ${day}, name one of the files:${names}`);
  }
  const into = flags.into ?? restoredName(manifest);
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(into))
    throw new UsageError('--into must be 1 to 63 small letters, digits or _, and not begin with a digit');
  const stopping = new AbortController();
  void untilAskedToStop().then(() => stopping.abort(new Error('stopped; nothing was restored')));
  await withDatabase(context, 'archive', (database) =>
    restoreArchive(database, manifest, { dir, into, signal: stopping.signal, onRows: tellRows(manifest.rows) }),
  );
  const { output } = context;
  if (flags.json) output.json({ table: into, rows: manifest.rows, from: manifest.from, until: manifest.until });
  else
    output.lines([
      `${toCount(manifest.rows)} rows restored into ${into}, as they were archived`,
      'drop the table when it is not needed any more: retention does not',
    ]);
}

const tellEveryMs = 2_000;

function tellRows(all: number): (rows: number) => void {
  let toldAt = performance.now();
  return (rows) => {
    if (performance.now() - toldAt < tellEveryMs) return;
    toldAt = performance.now();
    process.stderr.write(`sluice: ${toCount(rows)} of ${toCount(all)} rows restored\n`);
  };
}

function dirOf({ environment }: CommandContext, { dir }: ArchiveFlags): string {
  const found = dir ?? loadConfig(environment, ['retention']).retention.archiveDir;
  if (found === null) throw new UsageError('say which directory with --dir, or set SLUICE_ARCHIVE_DIR');
  return found;
}

/** @throws UsageError when there is none */
function choose(manifests: readonly Manifest[], day: string): Manifest[] {
  const byFile = manifests.filter(({ file }) => file === day);
  if (byFile.length > 0) return byFile;
  const atMs = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(day) : Number.NaN;
  if (Number.isNaN(atMs))
    throw new UsageError('say which day, such as 2026-03-01, or the name of a file as list prints it');
  const dayMs = 86_400_000;
  const found = manifests.filter(({ from, until }) => Date.parse(from) < atMs + dayMs && Date.parse(until) > atMs);
  if (found.length === 0) throw new UsageError(`there is no archive of ${day}`);
  return found;
}
