import { variableNames } from './config.ts';
import { isServiceAddress, isServiceLink } from './service-links.ts';

/** What only docker-compose.yml reads. It shares the file .env with the commands. */
const ofCompose = ['SLUICE_IMAGE', 'SLUICE_POSTGRES_PORT', 'SLUICE_REDIS_PORT'];

/** Names that look like ours and are not: most likely a slip of the pen, but no reason to refuse to start. */
export function unknownVariables(environment: NodeJS.ProcessEnv): string[] {
  return Object.entries(environment).flatMap(([name, value = '']) =>
    /^(SLUICE|DSL_EXECUTION_LOG)_/.test(name) &&
    ![...variableNames, ...ofCompose].includes(name) &&
    !isServiceLink(name, value)
      ? [name]
      : [],
  );
}

/** Variables of ours that are passed over, as they hold the address of a Kubernetes Service. */
export function passedOverVariables(environment: NodeJS.ProcessEnv): string[] {
  return variableNames.filter((name) => isServiceAddress(name, environment[name] ?? ''));
}

/** What to say, before anything else, of variables that are set and not taken; one line each. */
export function environmentWarnings(environment: NodeJS.ProcessEnv): string[] {
  return [
    ...unknownVariables(environment).map((name) => `${name} is set but is not a known variable`),
    ...passedOverVariables(environment).map(
      (name) =>
        `${name} holds the address of a Kubernetes Service and is ignored; set enableServiceLinks: false in the pod to avoid it`,
    ),
  ];
}
