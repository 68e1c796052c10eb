import { startSluice } from './fleet.ts';

/** How a command ended, with all that it said. */
export interface Ended {
  exitCode: number | string;
  stdout: string;
  stderr: string;
  /** standard output as JSON */
  json(): unknown;
}

/** Runs commands to their ends, each in a process of its own, all with the same environment. */
export function createRunner(environment: Record<string, string>) {
  return async (...args: string[]): Promise<Ended> => {
    const call = await startSluice(args, environment);
    const exitCode = await call.ended;
    const stdout = call.stdout.join('\n');
    return { exitCode, stdout, stderr: call.stderr.join('\n'), json: () => JSON.parse(stdout) };
  };
}
