import { fstatSync, writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** Takes lines and writes them. */
export interface LogDestination {
  write(line: string): void;
}

export interface LogOptions {
  /** of the logger, for the line that tells how many were dropped */
  name: string;
  /** bytes that wait at most while a reader is slow. @default 1 MiB */
  maxBytes?: number;
  /** told of each line that is not written */
  onDropped?: () => void;
}

const defaultMaxBytes = 1_048_576;

/** Between two looks whether a slow reader has made room. */
const busyMs = 50;

/** Between two looks whether a disk has room again, or whatever else refused to be written to. */
const refusedMs = 1_000;

/** For so long the end of the process waits for a slow reader. */
const lastWordsMs = 200;

/** A line that is not written yet. */
interface Waiting {
  rest: Buffer;
  isBegun: boolean;
  /** dropped lines that it tells of; null: it is an ordinary line */
  tells: number | null;
}

/**
 * Opens standard output or standard error for a log that must not stop, hold up or fill its process, whatever is at the other
 * end: a full disk, a pipe that nobody reads or whose reader has gone, a descriptor that was closed. `write` never throws and
 * waits for no reader. Lines that cannot be written are dropped and counted; when writing works again, a line tells how many.
 *
 * pino's own destination is not used: over a full disk it throws or sleeps for ever, over a pipe that nobody reads it waits.
 *
 * @param fd 1: standard output, 2: standard error
 */
export function openLog(fd: 1 | 2, { name, maxBytes = defaultMaxBytes, onDropped }: LogOptions): LogDestination {
  keepFromBlocking(fd);
  let waiting: Waiting[] = [];
  let waitingBytes = 0;
  let untold = 0;
  let isTelling = false;
  let isTorn = false;
  let timer: NodeJS.Timeout | null = null;

  const drop = (lines: number): void => {
    untold += lines;
    for (let n = 0; n < lines; n += 1) onDropped?.();
  };

  const enqueue = (line: string, tells: number | null): void => {
    const rest = Buffer.from(line);
    waiting.push({ rest, isBegun: false, tells });
    waitingBytes += rest.length;
  };

  /** Before anything that came after it. */
  const tellLoss = (): void => {
    if (untold === 0 || isTelling) return;
    enqueue(lossLine(name, untold), untold);
    isTelling = true;
  };

  /** @throws what the system says */
  const writeFirst = (first: Waiting): void => {
    if (isTorn) {
      writeSync(fd, '\n');
      isTorn = false;
    }
    const written = writeSync(fd, first.rest);
    first.rest = first.rest.subarray(written);
    first.isBegun = true;
    waitingBytes -= written;
    if (first.rest.length > 0) return;
    waiting.shift();
    if (first.tells === null) return;
    untold -= first.tells;
    isTelling = false;
  };

  /** @returns whether all is written, or why not */
  const writeWaiting = (): 'done' | 'busy' | 'refused' => {
    try {
      for (;;) {
        const [first] = waiting;
        if (first !== undefined) writeFirst(first);
        else if (untold > 0) tellLoss();
        else return 'done';
      }
    } catch (error) {
      if (isBusy(error)) return 'busy';
      isTorn ||= waiting[0]?.isBegun === true;
      const lines = waiting.filter(({ tells }) => tells === null).length;
      waiting = [];
      waitingBytes = 0;
      isTelling = false;
      drop(lines);
      return 'refused';
    }
  };

  const lastWords = (): void => {
    const deadline = performance.now() + lastWordsMs;
    while (writeWaiting() === 'busy' && performance.now() < deadline) pauseThread();
  };

  const pump = (): void => {
    const state = writeWaiting();
    if (state === 'done') {
      if (timer !== null) process.off('exit', lastWords);
      timer = null;
      return;
    }
    if (timer === null) process.once('exit', lastWords);
    timer = setTimeout(pump, state === 'busy' ? busyMs : refusedMs);
    timer.unref();
  };

  return {
    write(line) {
      if (waitingBytes + line.length > maxBytes) drop(1);
      else {
        tellLoss();
        enqueue(line, null);
      }
      if (timer === null) pump();
    },
  };
}

/**
 * Node switches a pipe or a socket to non-blocking when it opens its own stream on it, which is what asking for the stream
 * does. In a worker thread the main thread has done so. A file never blocks; a terminal that is stopped does.
 */
function keepFromBlocking(fd: 1 | 2): void {
  try {
    const kind = fstatSync(fd);
    if (isMainThread && (kind.isFIFO() || kind.isSocket())) void (fd === 1 ? process.stdout : process.stderr).writable;
  } catch {
    // It is closed, which writing tells as well.
  }
}

function lossLine(name: string, lines: number): string {
  const msg = 'log lines could not be written and were dropped';
  return `${JSON.stringify({ level: 40, time: Date.now(), pid: process.pid, name, lines, msg })}\n`;
}

function isBusy(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EAGAIN' || code === 'EWOULDBLOCK';
}

function pauseThread(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
}
