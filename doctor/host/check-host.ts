import { type Finding, findingsOn } from '../finding.ts';
import { isBelow } from '../version.ts';
import type { HostFacts } from './host-facts.ts';

const onHost = findingsOn('host');
const onConfiguration = findingsOn('configuration');

/** Checks this process and its configuration. */
export function checkHost(facts: HostFacts, options: { recordingEnabled: boolean }): Finding[] {
  const { nodeVersion, nodeWanted, hasEnvFile, unknownVariables, passedOverVariables, variableProblems } = facts;
  return [
    isBelow(nodeVersion, nodeWanted)
      ? onHost.failure(
          'node',
          `${nodeVersion}, but ${nodeWanted} is required`,
          "run it through npm run, which uses the project's own Node",
        )
      : onHost.ok('node', nodeVersion),
    unknownVariables.length > 0
      ? onConfiguration.warning(
          'variables',
          `set but unknown: ${unknownVariables.join(', ')}`,
          'compare them with .env.example; most likely a name is misspelt',
        )
      : onConfiguration.ok(
          'variables',
          hasEnvFile ? 'all are known; .env in this directory was read' : 'all are known',
        ),
    ...variableProblems.map((problem) =>
      onConfiguration.failure('values', problem, 'correct it: processes that read it refuse to start'),
    ),
    ...passedOverVariables.map((name) =>
      onConfiguration.warning(
        'values',
        `${name} holds the address of a Kubernetes Service and is ignored`,
        'set enableServiceLinks: false in the pod, or set the variable yourself',
      ),
    ),
    ...checkArchive(facts),
    options.recordingEnabled
      ? onConfiguration.ok('recording', 'on')
      : onConfiguration.warning(
          'recording',
          'DSL_EXECUTION_LOG_ENABLED is off: producers with this configuration store nothing',
          'remove it, or set it to true',
        ),
  ];
}

/** Without a directory for the archive, no partition of executions is dropped. */
function checkArchive({ archive }: HostFacts): Finding[] {
  if (archive === null) return [];
  if (archive.problem === null) return [onHost.ok('archive', `${archive.dir} is writable`)];
  return [
    onHost.failure(
      'archive',
      `SLUICE_ARCHIVE_DIR, ${archive.dir}: ${archive.problem}`,
      'create or mount it and give the maintenance process permission to write there: until then no expired partition is dropped',
    ),
  ];
}

/** One of the servers is not configured. */
export function checkMissingUrl(subject: 'redis' | 'postgres', variable: string): Finding {
  return findingsOn(subject).failure(
    'connection',
    `${variable} is not set or not usable, so there is nothing to check`,
    'set it; if npm start is running in this directory: source .sluice/env',
  );
}
