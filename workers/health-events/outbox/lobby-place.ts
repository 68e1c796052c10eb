import { placeKey } from '../../../shared/contracts/lobby-event.ts';
import { endsWithin } from '../../../shared/platform/deadline.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';
import type { Lease } from '../lease.ts';
import { publishScript } from './publish-script.ts';

/** Who publishes to the lobby's stream. */
export interface Publisher {
  /** names its outbox */
  epoch: string;
  /** for people; empty when it has not said so */
  label: string;
  holder: string;
}

/** What came of a call, see `publishScript`. */
export interface PlaceReply {
  outcome: 'published' | 'elsewhere' | 'fenced' | 'refused' | 'vacant';
  /** a place in an outbox: the caller's own, but that of the silent publisher when the place is vacant */
  seq: number;
  /** somebody else */
  publisher: Publisher;
}

/** Longer than it takes a worker of the same label to replace one that was killed: it goes first. */
export const leasesOfSilence = 3;

const releaseWithinMs = 500;

/** The place of an outbox in the lobby's stream, as the session of a lease sees it. */
export function createLobbyPlace({
  redis,
  lobbyStream,
  lease: { epoch, token, session, label, holder },
  silenceMs,
}: {
  redis: Redis;
  lobbyStream: string;
  lease: Lease;
  /** how long this session may say nothing before somebody else may publish */
  silenceMs: number;
}) {
  const caller = [epoch, String(token), session, label, holder, String(silenceMs)];
  const keys = [placeKey(lobbyStream), lobbyStream];

  let isReleased = false;

  /** @throws Error after the release, too */
  const call = async (...what: string[]): Promise<PlaceReply> => {
    if (isReleased) throw new Error('the right to publish to the lobby stream was released');
    return ask(what);
  };

  const ask = async (what: readonly string[]): Promise<PlaceReply> => {
    const reply = await redis.eval(publishScript, keys.length, ...keys, ...caller, ...what);
    const [outcome, seq, ...others] = reply as [PlaceReply['outcome'], string, ...(string | null)[]];
    const [ofEpoch, ofLabel, ofHolder] = others.map((text) => text ?? '');
    return {
      outcome,
      seq: Number(seq),
      publisher: { epoch: ofEpoch ?? '', label: ofLabel ?? '', holder: ofHolder ?? '' },
    };
  };

  return {
    call,

    /** Says that this session is there, until the signal aborts. @param onReply is told what came of it, if anything did */
    stayWhile(signal: AbortSignal, onReply: (reply: PlaceReply) => void = () => undefined): void {
      if (signal.aborted) return;
      const timer = setInterval(() => {
        call('join').then(onReply, () => undefined);
      }, silenceMs / 6);
      signal.addEventListener('abort', () => clearInterval(timer), { once: true });
    },

    /** Lets somebody else publish at once, if Redis answers soon. */
    async release(): Promise<void> {
      isReleased = true;
      await endsWithin(
        ask(['release']).catch(() => undefined),
        releaseWithinMs,
      );
    },
  };
}
