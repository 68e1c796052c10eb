import type { Config } from '../../shared/platform/config/config.ts';

/** What the console reads of the configuration. */
export const consoleGroups = [
  'namespace',
  'logLevel',
  'redis',
  'memoryShare',
  'database',
  'health',
  'console',
] as const;
export type ConsoleConfig = Pick<Config, (typeof consoleGroups)[number]>;
