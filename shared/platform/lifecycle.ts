import { onStopSignal } from './early-signals.ts';

/** A part of a process that was opened and has to be closed. */
export interface Closer {
  name: string;
  close(): Promise<void>;
}

/** Opens things and closes them in reverse order; each is closed even when another one's closing fails. */
export function createCloseStack(onError: (name: string, error: unknown) => void) {
  const closers: Closer[] = [];
  return {
    push(name: string, close: () => Promise<void>): void {
      closers.push({ name, close });
    },
    async closeAll(): Promise<void> {
      for (const { name, close } of closers.splice(0).reverse()) {
        try {
          await close();
        } catch (error) {
          onError(name, error);
        }
      }
    },
  };
}

/** A Ctrl-C reaches a process twice, from the terminal and from npm; only a later one is meant as a second. */
const sameSignalMs = 1_000;

/**
 * Resolves when the process is asked to stop: SIGTERM, SIGINT, SIGHUP (its terminal was closed), or the end of the process that started it with an IPC
 * channel. Another signal more than a second later ends the process at once, with code 1.
 */
export function untilAskedToStop(): Promise<string> {
  return new Promise((resolve) => {
    let firstAt: number | null = null;
    const ask = (reason: string): void => {
      if (firstAt === null) {
        firstAt = performance.now();
        resolve(reason);
      } else if (performance.now() - firstAt > sameSignalMs) {
        process.exit(1);
      }
    };
    onStopSignal(ask);
    const orphaned = () => ask('the parent process has exited');
    if (process.connected) process.once('disconnect', orphaned);
    // It had a channel when it was started.
    else if (process.send) orphaned();
  });
}
