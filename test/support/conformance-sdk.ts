import { Registry } from 'prom-client';
import type { Destination } from '../../contracts/conformance-case.ts';
import type { Refusal } from '../../contracts/run-conformance.ts';
import {
  type CompletedRequestSenderOptions,
  createCompletedRequestSender,
  createExecutionObserver,
} from '../../producers/index.ts';

/** The SDK as the conformance kit calls it. */
export function openSdk(where: Pick<CompletedRequestSenderOptions, 'redis' | 'namespace'>) {
  const options = { ...where, registry: new Registry(), logger: { warn: () => undefined } };
  const observer = createExecutionObserver({ ...options, producer: { sampleRate: 1 } });
  const requests = createCompletedRequestSender(options);
  return {
    /** @returns why it was not accepted */
    async send(name: string, to: Destination, input: never): Promise<Refusal | null> {
      try {
        if (to === 'executions') observer.record(input);
        else await (to === 'begin' ? requests.begin(input) : requests.send(input));
        return null;
      } catch (error) {
        const [, field = 'record'] = /^(\w+) (?:is|has|contains) /.exec((error as Error).message) ?? [];
        return { case: name, field };
      }
    },
    /** Resolves when all that was accepted is in Redis. */
    async close(): Promise<void> {
      await Promise.all([observer.close({ timeoutMs: 30_000 }), requests.close({ timeoutMs: 30_000 })]);
    },
  };
}
