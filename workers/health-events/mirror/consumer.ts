import { isBlank, trimBlanks } from '../../../shared/contracts/health-event.ts';
import { createLogger, type Logger } from '../../../shared/platform/logging/logger.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';
import { createEntryHandler, type Entry, type HandlerDeps } from './entry-handler.ts';
import { type LoopDeps, readEntries } from './read-loop.ts';

export interface MirrorDeps extends Omit<HandlerDeps, 'now' | 'logger'>, Pick<LoopDeps, 'blockMs' | 'offsets'> {
  /**
   * a connection that nobody else uses: the consumer blocks it, and closes it on abort. Over a lost connection it has to
   * fail some time, which ends the consumer; one that waits for ever keeps it from ending. See createImpatientConnection
   */
  reader: Redis;
  /** key of the stream that is read */
  stream: string;
  /** under which the offset is saved; white space around it does not count. @default 'health_events' */
  label?: string | undefined;
  /** how much longer than that the server may take to answer, in ms. @default 10000 */
  silenceMs?: number | undefined;
  /** UTC milliseconds since 1970. @default Date.now */
  now?: (() => number) | undefined;
  /** @default one that writes to standard output from level info */
  logger?: Logger | undefined;
}

/** The original's consumer of health events: one entry after the other, and what fails is logged and lost. */
export interface MirrorConsumer {
  /**
   * Reads from the saved offset, or from the stream's beginning, until it is aborted.
   *
   * @returns when it was aborted while it read, or before it began
   * @throws Error with a cause when Redis or the offset failed. Aborted while it deals with an entry, it also throws, since
   *   it could not save the offset (its cause is the signal's reason); the entry comes again in the next run
   */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Takes in one entry, without the stream and without the offset.
   *
   * @returns whether the offset may move past it: always
   */
  handle(entry: Entry): Promise<boolean>;
}

const defaultLabel = 'health_events';
const defaultSilenceMs = 10_000;

/**
 * Behaves as the original does, in what it gets right and in what it loses, so that each may take over from the other:
 * the keys, the fields and the offset are the same.
 *
 * @throws TypeError when something that it works with is missing, RangeError when a name is blank or a time not above 0;
 *   in the order of the original, and the first only
 */
export function createMirrorConsumer(deps: MirrorDeps): MirrorConsumer {
  insistOnDeps(deps);
  const { stream } = deps;
  const logger = (deps.logger ?? createLogger({ level: 'info', name: 'sluice' })).child({
    worker: 'gamemaster.healtheventsconsumer',
    stream,
  });
  const handle = createEntryHandler({ ...deps, now: deps.now ?? Date.now, logger });
  const loop = {
    ...deps,
    label: trimBlanks(deps.label ?? '') || defaultLabel,
    silenceMs: deps.silenceMs ?? defaultSilenceMs,
    handle,
    logger,
  };
  return {
    run: (signal) => readEntries(loop, signal),
    handle: (entry) => handle(entry, never),
  };
}

const never = new AbortController().signal;

/** For callers without types as well: a configuration may be read as anything. */
function insistOnDeps(deps: MirrorDeps): void {
  insistOn(deps.reader, 'reader');
  if (typeof deps.stream !== 'string' || isBlank(deps.stream)) throw new RangeError('stream must not be blank');
  if (!(deps.blockMs > 0)) throw new RangeError(`blockMs must be above 0, not ${deps.blockMs}`);
  insistOn(deps.offsets, 'offsets');
  insistOn(deps.records, 'records');
  insistOn(deps.lobby, 'lobby');
  insistOn(deps.onConsumed, 'onConsumed');
  insistOn(deps.onPublished, 'onPublished');
}

function insistOn(given: unknown, name: string): void {
  if (given === undefined || given === null) throw new TypeError(`${name} is missing`);
}
