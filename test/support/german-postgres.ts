import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { installPackage } from '../../dev/servers/install-package.ts';
import { startPostgres } from '../../dev/servers/postgres.ts';
import { migrate } from '../../prisma/migrate.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { createDirectory } from './fixtures.ts';
import { parentOfDatabases } from './memory-directory.ts';
import { olderPostgres } from './older-postgres.ts';

const run = promisify(execFile);
const locale = 'de_DE.UTF-8';
const sources = '/usr/share/i18n/locales/de_DE';

/** A migrated database on a server whose messages are in German. The PostgreSQL that Sluice brings speaks English only. */
export async function startGermanPostgres(): Promise<string> {
  const binaries = await olderPostgres();
  await makeLocale();
  const server = await startPostgres({
    dir: join(await createDirectory(await parentOfDatabases()), 'postgres'),
    fsync: false,
    binaries,
    settings: { lc_messages: locale },
  });
  onTestFinished(server.stop);
  await migrate(loadConfig({ DATABASE_URL: server.url }).database);
  return server.url;
}

async function makeLocale(): Promise<void> {
  const { stdout } = await run('locale', ['-a']);
  if (/^de_DE\.utf-?8$/im.test(stdout)) return;
  const isThere = access(sources).then(
    () => true,
    () => false,
  );
  if (!(await isThere) && !(await installPackage({ apt: 'locales' }, process.env)))
    throw new Error(`no locale ${locale}, and it cannot be made from here (Debian: apt-get install locales)`);
  await run('localedef', ['-i', 'de_DE', '-f', 'UTF-8', locale]);
}
