import { endsWithin, pause } from '../../shared/platform/deadline.ts';
import { toError } from '../../shared/platform/errors.ts';
import type { Transport } from './transport.ts';

/** How often it is looked again while successes are held back, in ms. */
const lookAgainMs = 500;
/** A server that says nothing for so long may be away, which is for the sends to find out, in ms. */
const firstLookMs = 500;

/** What may be added to Redis now. Unknown: failures; whether successes may is about to be found out. */
export type Admitted = 'all' | 'failures' | 'unknown';

export interface AdmissionOptions {
  transport: Pick<Transport, 'loaded' | 'whySuccessesWait' | 'readMemory'>;
  /** told why successes are held back from now on; null: they are not any more */
  onChange(reason: Error | null): void;
  /** told why the memory could not be read, such as a connection that is refused */
  onFailure(error: Error): void;
  /** the end: nothing changes any more */
  signal: AbortSignal;
}

/** Decides what may be added to Redis, by the memory of its servers. Without a transport that can tell, all is added. */
export function createAdmission({ transport, onChange, onFailure, signal }: AdmissionOptions) {
  let isKnown = transport.whySuccessesWait === undefined;
  let isHeldBack = false;
  let firstLook: Promise<void> | null = null;

  const lookFirst = async (): Promise<void> => {
    await transport.loaded;
    try {
      await endsWithin(transport.readMemory?.() ?? Promise.resolve(), firstLookMs);
    } catch (thrown) {
      if (!signal.aborted) onFailure(toError(thrown));
    }
    isKnown = true;
  };

  return {
    look(): Admitted {
      if (!isKnown) return 'unknown';
      if (!signal.aborted) {
        const reason = transport.whySuccessesWait?.() ?? null;
        const isChange = isHeldBack === (reason === null);
        isHeldBack = reason !== null;
        if (isChange) onChange(reason);
      }
      return isHeldBack ? 'failures' : 'all';
    },

    /** Resolves when it is time to look again, or when the signal aborts. */
    async pause(until: AbortSignal): Promise<void> {
      if (isKnown) return pause(lookAgainMs, until);
      firstLook ??= lookFirst();
      await firstLook;
    },
  };
}

export type Admission = ReturnType<typeof createAdmission>;
