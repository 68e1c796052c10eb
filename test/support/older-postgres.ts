import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { installPackage } from '../../local/install-package.ts';
import type { PostgresBinaries } from '../../local/postgres.ts';

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
  if (versions.length === 0) return null;
  const bin = join(parent, String(Math.min(...versions)), 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
}
