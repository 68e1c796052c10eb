import type { DrainResult, ObserverStats } from '../../producers/index.ts';
import { startJsonProcess } from './json-process.ts';

/** What a producer process prints. */
export interface ProducerLine extends ObserverStats {
  buffered: number;
  rss: number;
  /** on its last line, when it was stopped with SIGTERM */
  closed?: DrainResult;
}

/**
 * Starts a producer as its own process, and kills it when the test has finished.
 *
 * @param wrapper a command line to run it under
 */
export function startProducer(environment: Record<string, string>, wrapper: string[] = []) {
  return startJsonProcess<ProducerLine>(
    'producer-process.ts',
    { DSL_EXECUTION_LOG_SAMPLE_RATE: '1', ...environment },
    wrapper,
  );
}
