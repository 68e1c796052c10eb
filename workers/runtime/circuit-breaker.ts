import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../../shared/platform/backoff.ts';
import { unlessAborted } from '../../shared/platform/deadline.ts';
import {
  type ClassifiedDatabaseError,
  classifyDatabaseError,
  isLackOfResources,
  isOfOneStatement,
  wayOfFailure,
} from '../../shared/platform/postgres/database-errors.ts';

/** Statements share it: while one of them tries whether the database answers again (the half-open probe), the others wait. */
export type CircuitBreaker = ReturnType<typeof createCircuitBreaker>;

/** The time was up before a statement had an answer. What became of it nobody knows. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';

  constructor() {
    super('the time to settle records is over');
  }
}

/** A statement failed alike as often as it was tried, and each time the database took another one after it. */
export class OwnFaultError extends Error {
  override readonly name = 'OwnFaultError';

  constructor(cause: unknown) {
    super('a statement keeps failing while the database accepts others', { cause });
  }
}

export interface CircuitBreakerOptions {
  backoff: Backoff;
  random: () => number;
  /** gives up when aborted: the last error is thrown */
  signal: AbortSignal;
  /** Has the database take something that is known to be good. @throws what the database says */
  rehearse(): Promise<unknown>;
  /** told of each failure that will be tried again; `others` are taken: what failed may be at fault itself */
  onRetry(error: ClassifiedDatabaseError, attempt: number, thrown: unknown, others: 'taken' | 'not taken'): void;
  /** told when the database takes statements again after it took none */
  onRecovered(attempts: number): void;
}

/** How much it takes to blame a statement for its own failure. */
export interface Proof {
  /** failures alike of what waiting could help. @default 3 */
  tries?: number;
  /** also when the database refuses what is in the rows, somebody else's rows have to go through. @default false */
  needsControl?: boolean;
}

/** Whether the database takes what is known to be good: it does, it refuses even that, or it does nothing at all. */
type Rehearsal = 'takes' | 'refuses' | 'is away';

const defaultTries = 3;

/**
 * Keeps an outage from being met by everything at once, and finds out whether there is one. The first statement that fails
 * so that waiting can help is the half-open probe: it alone is repeated, and all others wait, those that had failed beside it included.
 * After each failure the database is asked to take something that is known to be good. When it does, or the probe gets
 * through, there is no outage, and the others go on.
 *
 * A statement that goes on failing alike, while the database takes what others bring, is itself at fault: then waiting is no
 * help, whatever the code of its error says.
 *
 * An error that is of one statement, such as a lock that it did not get, is no outage: whoever runs it has to decide.
 */
export function createCircuitBreaker(options: CircuitBreakerOptions) {
  const { signal, backoff, random } = options;
  let probe: Promise<void> | null = null;
  let taken = 0;
  let refused = 0;
  let inTrouble = 0;
  const onOpen = new Set<() => void>();
  const tellOfOutage = (): void => {
    for (const tell of onOpen) tell();
  };

  /** One attempt. Nobody waits for its answer when the time is up: repeating it later changes nothing. */
  const attempt = <T>(work: () => Promise<T>): Promise<T> => unlessAborted(signal, work, () => new StoppedError());

  /** Makes the others wait. @returns lets them go on */
  const open = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    probe = promise;
    tellOfOutage();
    return () => {
      probe = null;
      resolve();
    };
  };

  const rehearse = async (): Promise<Rehearsal> => {
    try {
      await attempt(options.rehearse);
      return 'takes';
    } catch (thrown) {
      const { class: errorClass } = classifyDatabaseError(thrown);
      return errorClass === 'data' || errorClass === 'duplicate' ? 'refuses' : 'is away';
    }
  };

  /** Waits before the next try. @returns whether there is one */
  const pause = async ({ class: errorClass }: ClassifiedDatabaseError, failures: number): Promise<boolean> => {
    const forMs = errorClass === 'systemic' ? backoff.maxMs : backoffMs(backoff, failures, random);
    return sleep(forMs, true, { signal }).catch(() => false);
  };

  /** Repeats work that has failed with `firstError`, until it gets through or is found to be at fault. */
  const repeat = async <T>(work: () => Promise<T>, firstError: unknown, proof: Proof): Promise<T> => {
    const { tries = defaultTries } = proof;
    let thrown = firstError;
    let takenAtLastFailure = Number.POSITIVE_INFINITY;
    let letGo: (() => void) | null = null;
    let hasWaited = false;
    let isCountedRefused = false;
    let alike = 0;
    let way = '';
    inTrouble += 1;
    // From one failure to the next, the tries between them included: it is one outage.
    const countRefused = (isRefused: boolean): void => {
      refused += Number(isRefused) - Number(isCountedRefused);
      isCountedRefused = isRefused;
    };
    try {
      for (let failures = 0; ; failures += 1) {
        const error = classifyDatabaseError(thrown);
        const isOfRows = isInTheRows(error);
        if (signal.aborted) throw new StoppedError();
        if (isOfOneStatement(error) || (isOfRows && !isDoubted(error, proof))) throw thrown;
        // What is in the rows is no reason to make others wait.
        if (letGo === null && probe === null && !isOfRows) letGo = open();
        const rehearsal = await rehearse();
        if (signal.aborted) throw new StoppedError();
        // Something that is thought to be good may be refused for its own sake: then others have to show that rows are taken.
        const othersAreTaken = rehearsal === 'takes' || (rehearsal === 'refuses' && taken > takenAtLastFailure);
        takenAtLastFailure = taken;
        if (rehearsal !== 'is away' && letGo !== null) {
          letGo();
          letGo = null;
        }
        alike = othersAreTaken ? (wayOfFailure(error) === way ? alike + 1 : 1) : 0;
        way = wayOfFailure(error);
        if (othersAreTaken && isLackOfResources(error)) throw thrown;
        // After a time in which nothing was taken it may have failed just before that was mended.
        const needed = isOfRows ? (hasWaited && rehearsal === 'takes' ? 2 : 1) : tries;
        if (alike >= needed) throw isOfRows ? thrown : new OwnFaultError(thrown);

        hasWaited ||= !othersAreTaken;
        options.onRetry(error, failures, thrown, othersAreTaken ? 'taken' : 'not taken');
        const isRefused = !othersAreTaken && letGo === null;
        countRefused(isRefused);
        if (isRefused) tellOfOutage();
        const goesOn = await pause(isRefused ? { ...error, class: 'systemic' } : error, failures);
        if (!goesOn) throw new StoppedError();
        while (letGo === null && probe !== null) await probe;
        let result: T;
        try {
          result = await attempt(work);
        } catch (next) {
          thrown = next;
          continue;
        }
        taken += 1;
        if (hasWaited) options.onRecovered(failures + 1);
        return result;
      }
    } finally {
      inTrouble -= 1;
      countRefused(false);
      letGo?.();
    }
  };

  return {
    /** Whether statements wait for the database now. */
    get isOutage(): boolean {
      return probe !== null || refused > 0;
    },

    /** Whether a statement is being repeated, or is found out about. */
    get isInTrouble(): boolean {
      return inTrouble > 0;
    },

    /**
     * Does `work`, however often and late.
     *
     * @throws what waiting cannot help, what is of this statement alone, and OwnFaultError when it is at fault; when the time
     *   is up, StoppedError or what it met
     */
    async run<T>(work: () => Promise<T>, proof: Proof = {}): Promise<T> {
      for (;;) {
        while (probe !== null) await probe;
        try {
          const result = await attempt(work);
          taken += 1;
          return result;
        } catch (thrown) {
          const error = classifyDatabaseError(thrown);
          const isOutage = !isOfOneStatement(error) && !isInTheRows(error);
          // What failed beside the probe most likely met the same outage.
          if (probe === null || !isOutage) return repeat(work, thrown, proof);
        }
      }
    },

    /** Tells of the outage that there is, or of the next one that begins. @returns ends the watch */
    onOutage(tell: () => void): () => void {
      if (probe !== null || refused > 0) tell();
      onOpen.add(tell);
      return () => onOpen.delete(tell);
    },
  };
}

function isInTheRows({ class: errorClass }: ClassifiedDatabaseError): boolean {
  return errorClass === 'data' || errorClass === 'duplicate';
}

/** A row that is there already is no refusal. */
function isDoubted({ class: errorClass }: ClassifiedDatabaseError, { needsControl = false }: Proof): boolean {
  return needsControl && errorClass === 'data';
}
