import { type Finding, findingsOn } from '../finding.ts';
import { isBelow } from '../version.ts';
import type { HostFacts } from './host-facts.ts';

const onHost = findingsOn('host');
const onConfiguration = findingsOn('configuration');

/** This process and how it was configured. */
export function checkHost(facts: HostFacts, options: { recordingEnabled: boolean }): Finding[] {
  const { nodeVersion, nodeWanted, hasEnvFile, unknownVariables, passedOverVariables, variableProblems } = facts;
  return [
    isBelow(nodeVersion, nodeWanted)
      ? onHost.failure(
          'node',
          `${nodeVersion}, wanted is ${nodeWanted}`,
          'call it through npm run, which brings its own Node',
        )
      : onHost.ok('node', nodeVersion),
    unknownVariables.length > 0
      ? onConfiguration.warning(
          'variables',
          `set, but not known: ${unknownVariables.join(', ')}`,
          'compare them with .env.example; it is most likely a slip of the pen',
        )
      : onConfiguration.ok(
          'variables',
          hasEnvFile ? 'all are known; .env in this directory was read' : 'all are known',
        ),
    ...variableProblems.map((problem) =>
      onConfiguration.failure('values', problem, 'correct it: the processes that read it do not start'),
    ),
    ...passedOverVariables.map((name) =>
      onConfiguration.warning(
        'values',
        `${name} holds the address of a Kubernetes Service and is passed over`,
        'set enableServiceLinks: false in the pod, or set the variable yourself',
      ),
    ),
    ...checkArchive(facts),
    options.recordingEnabled
      ? onConfiguration.ok('recording', 'on')
      : onConfiguration.warning(
          'recording',
          'DSL_EXECUTION_LOG_ENABLED is off: producers with this configuration store nothing',
          'leave it out, or set it to true',
        ),
  ];
}

/** Without a place for its archive, no partition of executions is dropped. */
function checkArchive({ archive }: HostFacts): Finding[] {
  if (archive === null) return [];
  if (archive.problem === null) return [onHost.ok('archive', `${archive.dir} can be written to`)];
  return [
    onHost.failure(
      'archive',
      `SLUICE_ARCHIVE_DIR, ${archive.dir}: ${archive.problem}`,
      'create or mount it and give the maintenance process permission to write there: until then no expired partition is dropped',
    ),
  ];
}

/** One of the servers is not configured at all. */
export function checkMissingUrl(subject: 'redis' | 'postgres', variable: string): Finding {
  return findingsOn(subject).failure(
    'connection',
    `${variable} is not set or cannot be used, so there is nothing to look at`,
    'set it; with npm start running in this directory: source .sluice/env',
  );
}
