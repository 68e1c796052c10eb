import { totalmem } from 'node:os';
import { relative } from 'node:path';

/** Share of a container's memory for V8's heap. Buffers, code and Prisma's WebAssembly take the rest, 100 MB at least. */
const heapShare = 0.6;
const mib = 1_048_576;

/** What is known of a process's memory before anything was done. */
export interface ProcessMemory {
  /** what the container allows, as Node reads it from cgroups of version 1 and 2; without a limit 0 or more than there is */
  allowedBytes: number;
  /** of the machine */
  totalBytes: number;
  /** Node's own flags, from the command line and from NODE_OPTIONS */
  flags: readonly string[];
}

/**
 * The flag that fits V8's heap into the container. By itself V8 takes half of the container's memory, and 256 MiB at least,
 * so that the kernel kills a process of a small container before V8 has collected its garbage, or said that it has no room.
 *
 * @returns null when there is no limit, or somebody has set the size of the heap
 */
export function heapFlagFor({ allowedBytes, totalBytes, flags }: ProcessMemory): string | null {
  if (allowedBytes <= 0 || allowedBytes >= totalBytes) return null;
  if (flags.some((flag) => /--max[-_](old[-_]space|heap)[-_]size/.test(flag))) return null;
  return `--max-old-space-size=${Math.floor((allowedBytes * heapShare) / mib)}`;
}

/**
 * Starts this process again, with the same id, when V8's heap does not fit into the container: the size of a heap is fixed
 * when its process begins. To be called before anything else is done. It returns where there is nothing to do, and under a
 * parent that talks to this process, which has seen to it for its own. The list of processes shows the command as it was called:
 * people and scripts look for it there.
 */
export function fitHeapToContainer(process: NodeJS.Process): void {
  const { argv, argv0, env, execArgv, execPath } = process;
  const flag = heapFlagFor({
    allowedBytes: process.constrainedMemory(),
    totalBytes: totalmem(),
    flags: [...execArgv, env['NODE_OPTIONS'] ?? ''],
  });
  if (flag === null || process.send !== undefined || process.execve === undefined) return;
  const [, script = '', ...args] = argv;
  const called = [argv0, ...execArgv, relative(process.cwd(), script), ...args];
  process.execve(execPath, called, { ...env, NODE_OPTIONS: [env['NODE_OPTIONS'], flag].filter(Boolean).join(' ') });
}
