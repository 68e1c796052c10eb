import { defineConfig } from 'prisma/config';

// For those who run Prisma's own CLI (generate, studio). Migrations are applied by prisma/migrate.ts.
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
});
