import type { Command } from 'commander';
import { type ArchiveListing, listArchives, type Manifest } from '../../archive/manifest.ts';
import { restoreArchive, restoredName } from '../../archive/restore-archive.ts';
import { findDamage } from '../../archive/verify-archive.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import { untilAskedToStop } from '../../shared/platform/lifecycle.ts';
import type { CommandContext } from '../context.ts';
import { toCount } from '../output/figures.ts';
import { toTable } from '../output/table.ts';
import { withDatabase } from '../servers.ts';

interface ArchiveFlags {
  dir?: string;
  json?: boolean;
}

export function addArchiveCommand(program: Command, context: CommandContext): void {
  const command = program.command('archive').description('list, verify and restore archived partitions of executions');
  const add = (name: string, description: string): Command =>
    command
      .command(name)
      .description(description)
      .option('--dir <dir>', 'archive directory (default: SLUICE_ARCHIVE_DIR)')
      .option('--json', 'print the result as JSON');
  const what = 'a day such as 2026-03-01, or a file name';

  add(
    'list',
    'list archives, oldest first; exit code 1 if a manifest cannot be read, or a file or a manifest is missing',
  ).action((flags: ArchiveFlags) => list(context, flags));
  add('verify', 'read archives back and check them against their manifests; exit code 1 if one is damaged')
    .argument('[day]', `${what} (default: all archives)`)
    .action((day: string | undefined, flags: ArchiveFlags) => verify(context, day ?? null, flags));
  add(
    'restore',
    'restore an archive into a table of its own, which is not part of the log and which retention never drops',
  )
    .argument('<day>', what)
    .option('--into <table>', 'table name (default: strategy_execution_log_restored_DAY)')
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
  if (manifests.length === 0) output.lines(['no archives']);
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
    ...unreadable.map(({ name, reason }) => `${name} is not a readable manifest: ${reason}`),
    ...withoutManifest.map((name) => `${name} has no manifest and is ignored: delete it, or restore the manifest`),
    ...missing.map((name) => `${name} is missing, only its manifest exists: restore the file`),
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
    if (!flags.json) output.lines([`${manifest.file}: ${damage ?? `${toCount(manifest.rows)} rows, intact`}`]);
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
    throw new UsageError(`${day} has several archives; name one of the files:${names}`);
  }
  const into = flags.into ?? restoredName(manifest);
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(into))
    throw new UsageError(
      '--into must be 1 to 63 lower-case letters, digits or underscores, and must not start with a digit',
    );
  const stopping = new AbortController();
  void untilAskedToStop().then(() => stopping.abort(new Error('stopped; nothing was restored')));
  await withDatabase(context, 'archive', (database) =>
    restoreArchive(database, manifest, { dir, into, signal: stopping.signal, onRows: tellRows(manifest.rows) }),
  );
  const { output } = context;
  if (flags.json) output.json({ table: into, rows: manifest.rows, from: manifest.from, until: manifest.until });
  else
    output.lines([
      `${toCount(manifest.rows)} rows restored into ${into} and verified`,
      'drop the table when you no longer need it: retention does not',
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
  if (found === null) throw new UsageError('no directory: give --dir or set SLUICE_ARCHIVE_DIR');
  return found;
}

/** @throws UsageError if there is none */
function choose(manifests: readonly Manifest[], day: string): Manifest[] {
  const byFile = manifests.filter(({ file }) => file === day);
  if (byFile.length > 0) return byFile;
  const atMs = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(day) : Number.NaN;
  if (Number.isNaN(atMs))
    throw new UsageError('give a day such as 2026-03-01, or a file name as printed by `sluice archive list`');
  const dayMs = 86_400_000;
  const found = manifests.filter(({ from, until }) => Date.parse(from) < atMs + dayMs && Date.parse(until) > atMs);
  if (found.length === 0) throw new UsageError(`no archive of ${day}`);
  return found;
}
