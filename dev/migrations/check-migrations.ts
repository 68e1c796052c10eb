import { withThrowawayPostgres } from '../servers/throwaway-postgres.ts';
import { missingFromMigrations } from './missing-from-migrations.ts';

// `npm run check:migrations`: fails if schema.prisma and the migrations differ.
const missing = await withThrowawayPostgres(missingFromMigrations);
if (missing === '') {
  console.log('migrations: match schema.prisma');
} else {
  console.error(
    `migrations: they do not match schema.prisma. npm run migration -- NAME writes what is missing:\n\n${missing}`,
  );
  process.exitCode = 1;
}
