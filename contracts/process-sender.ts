import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { Face } from './conformance-case.ts';
import type { Refusal, Sender } from './run-conformance.ts';

/** A program in any language that speaks as README.md says. */
export interface ProcessSenderOptions {
  face: Face;
  command: string;
  args: readonly string[];
  environment: NodeJS.ProcessEnv;
  /** resolves when everything that is in Redis is in its table or refused. @returns what was refused there */
  settled: () => Promise<readonly Refusal[]>;
}

/** Hands the kit to a program, a line for each delivery. */
export function createProcessSender({ face, command, args, environment, settled }: ProcessSenderOptions): Sender {
  const child = spawn(command, [...args], { env: environment, stdio: ['pipe', 'pipe', 'inherit'] });
  const output = text(child.stdout);
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? code ?? -1));
  });
  // Whoever ends early says so with its code.
  child.stdin.on('error', () => undefined);
  return {
    face,
    async send({ case: name, to, json }) {
      const line = `{"case":${JSON.stringify(name)},"to":${JSON.stringify(to)},"input":${json}}\n`;
      const isRoom = child.exitCode !== null || child.stdin.write(line);
      if (!isRoom) await Promise.race([once(child.stdin, 'drain'), ended]).catch(() => undefined);
    },
    async finish() {
      child.stdin.end();
      const code = await ended;
      if (code !== 0) throw new Error(`${command} ended with ${code}`);
      // By LF only: readline would also part a line at U+2028, which JSON may contain as it is.
      const lines = (await output).split('\n').filter((line) => line !== '');
      return [...lines.map(readRefusal), ...(await settled())];
    },
  };
}

const refusalSchema = z.object({ case: z.string(), field: z.string().nullable() });

/** @throws when the line is no refusal as README.md has it */
function readRefusal(line: string): Refusal {
  return refusalSchema.parse(JSON.parse(line));
}
