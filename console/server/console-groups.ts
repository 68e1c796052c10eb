import type { Config } from '../../shared/platform/config/config.ts';

/** The groups of the configuration that the console reads. */
export const consoleGroups = [
  'namespace',
  'logLevel',
  'redis',
  'memoryShare',
  'shards',
  'database',
  'health',
  'console',
] as const;
export type ConsoleConfig = Pick<Config, (typeof consoleGroups)[number]>;
