import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { configGroups, readConfig } from '../../shared/platform/config/config.ts';
import { passedOverVariables, unknownVariables } from '../../shared/platform/config/foreign-variables.ts';
import { type ArchiveFacts, readArchiveFacts } from './archive-facts.ts';

/** What is known without asking a server. */
export interface HostFacts {
  nodeVersion: string;
  /** as in package.json: `>=22.18` */
  nodeWanted: string;
  /** version of BullMQ in this build */
  bullmqVersion: string;
  /** whether a file .env in the current directory was read, as every `sluice` command does */
  hasEnvFile: boolean;
  /** variables that look like Sluice's but are not */
  unknownVariables: string[];
  /** variables of Sluice that hold a value set by Kubernetes */
  passedOverVariables: string[];
  /** problems with the values of variables of any process, one line each, without secrets */
  variableProblems: string[];
  /** where executions are archived; null if they are not */
  archive: ArchiveFacts | null;
}

/** Next to the sources, and one level further up from the build. */
const packageFile = import.meta.url.endsWith('.ts') ? '../../package.json' : '../../../package.json';

/** Reads the facts about this process and its files. */
export function readHostFacts(environment: NodeJS.ProcessEnv): HostFacts {
  const ours = JSON.parse(readFileSync(new URL(packageFile, import.meta.url), 'utf8')) as { engines: { node: string } };
  const bullmq = createRequire(import.meta.url)('bullmq/package.json') as { version: string };
  const { archiveDir } = readConfig(environment, ['retention']).config.retention;
  return {
    nodeVersion: process.version,
    nodeWanted: ours.engines.node,
    bullmqVersion: bullmq.version,
    hasEnvFile: existsSync('.env'),
    unknownVariables: unknownVariables(environment),
    passedOverVariables: passedOverVariables(environment),
    variableProblems: readConfig(environment, configGroups).problems,
    archive: archiveDir === null ? null : readArchiveFacts(archiveDir),
  };
}
