import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';

/** How a command ended, and what it printed to both outputs, in the order in which it came. */
export interface Ended {
  code: number | null;
  output: string;
}

/** Runs a command to its end. */
export function run(
  [command = '', ...args]: string[],
  { cwd, env, signal }: { cwd: string; env: NodeJS.ProcessEnv; signal?: AbortSignal },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      killSignal: 'SIGKILL',
      ...(signal && { signal }),
    });
    const parts: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => parts.push(part));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output: Buffer.concat(parts).toString() }));
  });
}

/** As `run`. @throws Error with the end of the output when the command fails */
export async function runOrThrow(command: string[], options: Parameters<typeof run>[1]): Promise<string> {
  const { code, output } = await run(command, options);
  if (code === 0) return output;
  throw new Error(`${command.join(' ')} ended with ${code}:\n${output.slice(-3_000)}`);
}

/** The environment of this machine with another Node in front, and without what npm tells its scripts. */
export function environmentOf(nodeBinary: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^npm_|^NODE_|^INIT_CWD$|^VITEST|^SLUICE_|_URL$/.test(name),
  );
  const { NODE_EXTRA_CA_CERTS, PATH = '' } = process.env;
  return {
    ...Object.fromEntries(kept),
    ...(NODE_EXTRA_CA_CERTS === undefined ? {} : { NODE_EXTRA_CA_CERTS }),
    PATH: `${dirname(nodeBinary)}${delimiter}${PATH}`,
  };
}

/** The npm that runs these tests, as a program of a Node: the one that npm itself names, or the one beside the system's Node. */
export function npmCommand(): string[] {
  const { npm_execpath } = process.env;
  return npm_execpath === undefined ? ['npm'] : ['node', npm_execpath];
}

/** Where a tool of the tools' directory is. */
export function toolPath(tools: string, ...path: string[]): string {
  return join(tools, 'node_modules', ...path);
}
