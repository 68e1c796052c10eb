import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withThrowawayPostgres } from '../servers/throwaway-postgres.ts';
import { missingFromMigrations } from './missing-from-migrations.ts';

// `npm run migration -- NAME`: writes a migration with what schema.prisma has and the migrations lack. Read it before you
// commit it: Prisma does not know about partitions and checks. Replace the question mark with the locks that it takes.
const [name = ''] = process.argv.slice(2);
if (!/^[a-z][a-z0-9_]*$/.test(name)) {
  console.error('usage: npm run migration -- NAME (in lower_snake_case)');
  process.exit(2);
}
const missing = await withThrowawayPostgres(missingFromMigrations);
if (missing === '') {
  console.log('migrations: match schema.prisma, nothing to write');
} else {
  const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const dir = join('prisma', 'migrations', `${stamp}_${name}`);
  await mkdir(dir);
  await writeFile(join(dir, 'migration.sql'), `-- locks: ?\n${missing}\n`);
  console.log(`migrations: wrote ${dir}/migration.sql`);
}
