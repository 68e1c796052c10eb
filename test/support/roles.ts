import { randomBytes } from 'node:crypto';
import { inject, onTestFinished } from 'vitest';
import { grantStatements } from '../../cli/commands/grant-statements.ts';
import { connect } from './fixtures.ts';

/** The three roles of `sluice grants` on a database, under names of the test's own: what it takes to connect as each of them. */
export async function createRoles(databaseUrl: string, schema = 'public') {
  const name = `${inject('runName')}_${randomBytes(4).toString('hex')}`;
  const roles = { migrator: `${name} migrator`, worker: `${name}_worker`, console: `${name}_console` };
  const admin = await connect(databaseUrl);
  const grant = (): Promise<unknown> => admin.query(grantStatements(schema, roles));
  await grant();
  onTestFinished(async () => {
    // Its database goes first, and what the roles own with it.
    const server = await connect(inject('postgresUrl'));
    await server.query(`drop database if exists "${new URL(databaseUrl).pathname.slice(1)}" with (force)`);
    for (const role of Object.values(roles)) await server.query(`drop role if exists "${role}"`);
    await server.end();
  });
  const as = async (role: keyof typeof roles): Promise<string> => {
    await admin.query(`alter role "${roles[role]}" password 'secret'`);
    const url = new URL(databaseUrl);
    url.username = encodeURIComponent(roles[role]);
    url.password = 'secret';
    url.searchParams.set('schema', schema);
    return url.href;
  };
  return {
    admin,
    grant,
    migratorUrl: await as('migrator'),
    workerUrl: await as('worker'),
    consoleUrl: await as('console'),
  };
}
