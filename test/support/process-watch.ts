import { createHook } from 'node:async_hooks';
import { readdir, readlink } from 'node:fs/promises';
import { onTestFinished } from 'vitest';

/** What keeps a process busy, or would: timers, whether they hold it up or not, sockets, servers, processes and watchers. */
const kinds = new Set([
  ...['Timeout', 'TCPWRAP', 'TCPSERVERWRAP', 'PIPEWRAP', 'PIPESERVERWRAP', 'UDPWRAP'],
  ...['PROCESSWRAP', 'SIGNALWRAP', 'FSEVENTWRAP', 'STATWATCHER', 'WORKER'],
]);

/** What Node begins once for the whole process: the date of its HTTP server, the clock of its `fetch`. */
const ofNode = /node:internal\/(http:|deps\/undici)/;
const ofRunner = /node_modules\/(@vitest|vitest|tinypool|birpc)\//;

/**
 * Watches what this process begins from now on.
 *
 * @returns what of it has not ended, each with the line of code that began it
 */
export function watchProcess(): () => string[] {
  const begun = new Map<number, string>();
  const listenersBefore = countListeners();
  const hook = createHook({
    init(asyncId, kind) {
      if (!kinds.has(kind)) return;
      const stack = stackOf();
      const origin = originOf(stack);
      if (!ofRunner.test(origin) && !stack.some((line) => ofNode.test(line))) begun.set(asyncId, `${kind} ${origin}`);
    },
    destroy: (asyncId) => void begun.delete(asyncId),
  });
  hook.enable();
  onTestFinished(() => void hook.disable());
  return () => [
    ...begun.values(),
    ...[...countListeners()].flatMap(([event, count]) =>
      count > (listenersBefore.get(event) ?? 0) ? `a listener on process for ${String(event)}` : [],
    ),
  ];
}

/** Files below a directory that this process has open; none where the system does not tell. */
export async function openFilesIn(dir: string): Promise<string[]> {
  const open = await readdir('/proc/self/fd').catch(() => []);
  const paths = await Promise.all(open.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return paths.filter((path) => path.startsWith(dir));
}

/** The lines of the stack, the innermost first, without those of this file. */
function stackOf(): string[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 60;
  const { stack = '' } = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return stack
    .split('\n')
    .slice(1)
    .filter((line) => !line.includes(import.meta.filename));
}

/** The innermost line that is not Node's own; where there is none, all of them. */
function originOf(stack: readonly string[]): string {
  return (stack.find((line) => line.includes('/') && !line.includes('node:')) ?? stack.join('')).trim();
}

function countListeners(): Map<string | symbol, number> {
  return new Map(process.eventNames().map((event) => [event, process.listenerCount(event)]));
}
