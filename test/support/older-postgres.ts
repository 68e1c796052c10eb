import { access, constants, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { installPackage } from '../../dev/servers/install-package.ts';
import type { PostgresBinaries } from '../../dev/servers/postgres.ts';

const parent = '/usr/lib/postgresql';

/** The PostgreSQL of the system, which is older than the one that Sluice brings: 15 on Debian 12. Installed when it is missing. */
export async function olderPostgres(): Promise<PostgresBinaries> {
  const found = (await find()) ?? ((await installPackage({ apt: 'postgresql' }, process.env)) ? await find() : null);
  if (found !== null) return found;
  throw new Error(
    'no PostgreSQL in /usr/lib/postgresql, and it cannot be installed from here (Debian: apt-get install postgresql)',
  );
}

async function find(): Promise<PostgresBinaries | null> {
  const versions = (await readdir(parent).catch(() => [])).map(Number).filter(Number.isInteger);
  for (const version of versions.sort((a, b) => a - b)) {
    const bin = join(parent, String(version), 'bin');
    const binaries = { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
    // The package of the clients makes the directory, too.
    const isServer = await access(binaries.initdb, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isServer) return binaries;
  }
  return null;
}
