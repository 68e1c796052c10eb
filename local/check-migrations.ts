import { missingFromMigrations } from './missing-from-migrations.ts';
import { withThrowawayPostgres } from './throwaway-postgres.ts';

// `npm run check:migrations`: fails when schema.prisma and the migrations disagree.
const missing = await withThrowawayPostgres(missingFromMigrations);
if (missing === '') {
  console.log('migrations: equal to schema.prisma');
} else {
  console.error(`migrations: they lack what schema.prisma has. npm run migration -- NAME writes it:\n\n${missing}`);
  process.exitCode = 1;
}
