import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { addUp, type InspectedSession, inspectSpill, type SpillContent } from '../../producers/spill/inspect.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import type { CommandContext } from '../context.ts';

export function addSpillCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('spill')
    .description('inspect what producers wrote to disk while Redis was unavailable');
  command
    .command('inspect')
    .description('count and check the records on disk without printing them; exit code 1 if something is damaged')
    .argument('[dir]', 'spill directory (default: SLUICE_SPILL_DIR)')
    .option('--json', 'print the result as JSON')
    .action((dir: string | undefined, flags: { json?: boolean }) => inspect(context, dir, flags));
}

async function inspect(context: CommandContext, given: string | undefined, { json }: { json?: boolean }) {
  const dir = given ?? loadConfig(context.environment, ['sending']).sending.spill.dir;
  if (dir === null) throw new UsageError('no directory: name one or set SLUICE_SPILL_DIR');
  const found = await stat(dir).catch(() => null);
  if (!found?.isDirectory()) throw new UsageError(`${dir} is not a readable directory`);

  const sessions = await inspectSpill(dir, Date.now());
  const total = addUp(sessions);
  if (total.corruptBytes > 0) context.exitWith(1);
  const result = { dir, directories: sessions.map(sessionToJson), total: contentToJson(total) };
  context.output.print(result, { json }, () =>
    sessions.length === 0
      ? ['no records on disk']
      : [
          ...sessions.flatMap((session) => [`${session.name}  ${session.state}`, `  ${describe(session)}`]),
          ...(sessions.length > 1 ? ['total', `  ${describe(total)}`] : []),
        ],
  );
}

function sessionToJson(session: InspectedSession): object {
  return { name: session.name, state: session.state, ...contentToJson(session) };
}

function contentToJson(content: SpillContent): object {
  const { segments, chunks, records, bytes, corruptBytes, newerBytes, firstWrittenMs, lastWrittenMs } = content;
  return {
    segments,
    chunks,
    records,
    bytes,
    corruptBytes,
    newerBytes,
    firstWrittenAt: toIsoTime(firstWrittenMs),
    lastWrittenAt: toIsoTime(lastWrittenMs),
  };
}

function describe(content: SpillContent): string {
  const { segments, chunks, records, bytes, corruptBytes, newerBytes, firstWrittenMs, lastWrittenMs } = content;
  const parts = [`${records} records in ${chunks} chunks, ${segments} segments, ${bytes} bytes`];
  if (firstWrittenMs !== null) parts.push(`written ${toIsoTime(firstWrittenMs)} to ${toIsoTime(lastWrittenMs)}`);
  if (newerBytes > 0) parts.push(`${newerBytes} bytes written by a newer version`);
  if (corruptBytes > 0) parts.push(`${corruptBytes} bytes damaged`);
  return parts.join('; ');
}

/** A wrong clock may have written an invalid time. */
function toIsoTime(ms: number | null): string | null {
  const time = new Date(ms ?? Number.NaN);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}
