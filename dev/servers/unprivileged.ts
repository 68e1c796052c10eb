import { execFileSync } from 'node:child_process';

/** How to start a program that refuses to run as root: PostgreSQL. */
export interface UnprivilegedCommand {
  command: string;
  args: string[];
  /** the user that must own the program's files; undefined if this process is not root and owns them already */
  owner?: { uid: number; gid: number };
}

/**
 * Wraps a command so that it runs as `nobody` if this process is root; otherwise leaves it unchanged.
 *
 * A checkout is often in a place that `nobody` may not read (`/root`, a temporary directory of mode 0700), so the process
 * keeps one capability, the right to traverse such directories. `no_setuid_fixup` makes access(2) honour it too;
 * PostgreSQL's initdb asks access(2) about its own binaries.
 *
 * @throws Error if this process is root and `setpriv` (util-linux) is missing.
 */
export function unprivileged(command: string, args: string[]): UnprivilegedCommand {
  if (process.getuid?.() !== 0) return { command, args };
  const owner = { uid: idOf('-u'), gid: idOf('-g') };
  return {
    command: 'setpriv',
    args: [
      `--reuid=${owner.uid}`,
      `--regid=${owner.gid}`,
      '--clear-groups',
      '--securebits=+no_setuid_fixup',
      '--inh-caps=-all,+dac_override',
      '--ambient-caps=-all,+dac_override',
      '--bounding-set=-all,+dac_override',
      command,
      ...args,
    ],
    owner,
  };
}

function idOf(flag: '-u' | '-g'): number {
  try {
    execFileSync('setpriv', ['--version'], { stdio: 'ignore' });
    return Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  } catch (cause) {
    throw new Error(
      'PostgreSQL refuses to run as root, and this machine lacks setpriv (package util-linux) or the user nobody. ' +
        'Run as another user, or set DATABASE_URL to a server of your own.',
      { cause },
    );
  }
}
