import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Testbed } from './testbed.ts';

/**
 * Starts a Node process that ends with the bench at the latest, and sends one message when it is up.
 *
 * @returns the process and its message
 * @throws Error if it ends before that
 */
export async function startChild<Message>(
  testbed: Pick<Testbed, 'environment' | 'onClose'>,
  options: { name: string; file: URL; args?: readonly string[]; environment?: NodeJS.ProcessEnv },
): Promise<{ child: ChildProcess; message: Message }> {
  const child = fork(options.file, options.args ?? [], {
    env: { ...testbed.environment, ...options.environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${options.name} did not come up`);
  });
  testbed.onClose(options.name, async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    if (child.kill('SIGKILL')) await gone;
  });
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [Message];
  ended.catch(() => undefined);
  return { child, message };
}
