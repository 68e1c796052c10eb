/**
 * `npm run check:compose`: each setting of a process must reach it through docker-compose.yml. A run does not show one that is
 * missing, as the process then takes its default. Everything else about the file is seen when it runs: ops/try-compose.sh.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { consoleGroups } from '../console/server/console-groups.ts';
import { gatewayGroups } from '../gateway/gateway-groups.ts';
import { type ConfigGroup, variablesOf } from '../shared/platform/config/config.ts';
import { redisVariables } from '../shared/platform/redis/redis-target.ts';
import { commonGroups, ownGroups } from '../workers/runtime/role.ts';

const composeSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      command: z.array(z.string()).default([]),
      environment: z.record(z.string(), z.unknown()).default({}),
    }),
  ),
});

/** The ports inside the containers, which nobody has to change. */
const fixed = [
  'SLUICE_WORKER_PORT',
  'SLUICE_CONSOLE_PORT',
  'SLUICE_GATEWAY_PORT',
  // The file has a Redis of its own, in REDIS_URL. For another one, use an override file: docs/redis.md.
  ...Object.values<string>(redisVariables).filter((name) => name !== 'REDIS_URL'),
];

/**
 * Checks the text of a Compose file.
 *
 * @returns one sentence for each setting that does not reach its process, with the service
 * @throws Error when it is no Compose file, or has a command or an environment in another form than list and map
 */
export function checkCompose(text: string): string[] {
  const { services } = composeSchema.parse(parse(text, { merge: true }));
  return Object.entries(services).flatMap(([service, { command, environment }]) =>
    variablesOf(groupsOf(command))
      .filter((name) => !(name in environment) && !fixed.includes(name))
      .map((name) => `${service}: must pass on ${name}, which its process reads`),
  );
}

/** What a Sluice command reads of the configuration. */
export function groupsOf([name, ...roles]: readonly string[]): readonly ConfigGroup[] {
  if (name === 'console') return consoleGroups;
  if (name === 'gateway') return gatewayGroups;
  if (name === 'migrate') return ['database', 'migrator'];
  const own: Readonly<Record<string, readonly ConfigGroup[]>> = ownGroups;
  return name === 'worker' ? [...commonGroups, ...roles.flatMap((role) => own[role] ?? [])] : [];
}

if (import.meta.main) {
  const problems = checkCompose(readFileSync(new URL('../docker-compose.yml', import.meta.url), 'utf8'));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
