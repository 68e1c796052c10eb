import { UsageError } from '../errors.ts';
import { parseRedisSettings, type RedisSettings, type RedisTarget } from '../redis/redis-target.ts';
import { createConfigReader } from './config-groups.ts';
import { rules } from './config-rules.ts';
import { type Config, type ConfigGroup, secrets, toGroups, tokens, variables } from './variables.ts';

export type { Config, ConfigGroup } from './variables.ts';

const reader = createConfigReader({ variables, secrets, tokens, toGroups, rules });

/** The names of all variables, in the order in which `.env.example` lists them. */
export const variableNames: readonly string[] = reader.names;

export const configGroups: readonly ConfigGroup[] = reader.groups;

/**
 * Reads groups of the configuration from an environment, once per process. Variables of other groups are not looked at:
 * they are another process's. An empty value counts as none, but for tokens and the pepper.
 *
 * @param groups those that the process works with. @default all
 * @throws UsageError that lists every problem at once: the variable, what was given (never a secret), what is accepted
 */
export function loadConfig(environment: NodeJS.ProcessEnv): Config;
export function loadConfig<G extends ConfigGroup>(
  environment: NodeJS.ProcessEnv,
  groups: readonly G[],
): Pick<Config, G>;
export function loadConfig(environment: NodeJS.ProcessEnv, groups: readonly ConfigGroup[] = configGroups) {
  return reader.load(environment, groups);
}

/** As `loadConfig`, for those who go on all the same: a variable that has a problem has its default. */
export const readConfig = reader.read;

/** The names of the variables that groups read. */
export function variablesOf(groups: readonly ConfigGroup[]): string[] {
  const read = new Set<string>();
  const getters = variableNames.map((name) => [name, { get: () => void read.add(name) }]);
  readConfig(Object.defineProperties({}, Object.fromEntries(getters)), groups);
  return variableNames.filter((name) => read.has(name));
}

/** @throws UsageError that names the variables, when nothing says where Redis is */
export function requireRedis(settings: RedisSettings): RedisTarget {
  const parsed = parseRedisSettings(settings);
  const target = 'target' in parsed ? parsed.target : null;
  if (target !== null) return target;
  throw new UsageError(
    'REDIS_URL is not set. Set it (or REDIS_SENTINEL_NODES, or REDIS_CLUSTER_NODES), or use npm start, which starts servers of its own.',
  );
}

/** @throws UsageError that names the variable, when a connection URL is missing */
export function requireUrl(value: string | null, name: 'DATABASE_URL'): string {
  if (value !== null) return value;
  throw new UsageError(`${name} is not set. Set it, or use npm start, which starts servers of its own.`);
}
