/**
 * Signals that ask a process to stop, from its first instant on. This imports nothing, so that an entry has it in place before
 * the rest is loaded: as process 1 of a container a process does not see a signal that it has no handler for, and would go on.
 */
const numbers = { SIGTERM: 15, SIGINT: 2, SIGHUP: 1 } as const;

/** SIGHUP: its terminal was closed. */
export type StopSignal = keyof typeof numbers;
type Listener = (signal: StopSignal) => void;

const signals = Object.keys(numbers) as StopSignal[];
const listeners = new Set<Listener>();
let isListening = false;
let early: Listener | null = null;

/**
 * Ends the process on a signal, as long as nobody listens.
 *
 * @param exitCode of a process that has nothing to end in good order yet; null: as of one that a signal has ended
 */
export function endOnSignal(exitCode: number | null): void {
  early = (signal) => process.exit(exitCode ?? 128 + numbers[signal]);
  listen();
}

/** From now on the listener sees to signals, also to those that have come and were not dealt with yet. */
export function onStopSignal(listener: Listener): void {
  listeners.add(listener);
  listen();
}

/** Once for all: to take a handler away and put another in its place loses the signal that comes between the two. */
function listen(): void {
  if (isListening) return;
  isListening = true;
  for (const signal of signals)
    process.on(signal, () => {
      if (listeners.size === 0) early?.(signal);
      for (const listener of listeners) listener(signal);
    });
}
