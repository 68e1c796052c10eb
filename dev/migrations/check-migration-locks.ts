import { readMigrations } from '../../prisma/migration-files.ts';
import { findProblems } from './migration-rules.ts';

/** Migrations up to this one are older than the rules and stay as they are: see docs/operations.md for what they lock. */
const lastWithoutRules = '20261127050000_lobby_owner';

// `npm run check:migrations`: fails if a migration locks or rewrites what others use, without a reason.
const later = (await readMigrations()).filter(({ name }) => name > lastWithoutRules);
const problems = later.flatMap((migration) =>
  findProblems(migration).map((problem) => `${migration.name}: ${problem}`),
);
for (const problem of problems) console.error(`migrations: ${problem}`);
if (problems.length > 0) process.exitCode = 1;
else console.log(`migrations: all ${later.length} migrations since the lock rules were introduced follow them`);
