import type { Redaction } from '../../producers/core/redact.ts';
import type { Sender } from '../access/sender.ts';
import { TooManyValuesError, tooManyValues } from '../body/json-parts.ts';
import { contentFault } from '../intake/find-fault.ts';
import { type Intake, ignored, refuse, type Taken } from '../intake/intake.ts';
import { deriveId } from '../intake/record-identity.ts';
import { isModelRequest, toRequestInput } from './gen-ai-request.ts';
import type { Span } from './span.ts';
import type { IncomingSpan } from './spans-of-body.ts';
import { maskUnreadableParts } from './unreadable-parts.ts';

/**
 * Makes requests of spans that are requests to models, and passes by all others.
 *
 * @param requests takes what they become
 * @param redaction the rules that it applies
 */
export function createSpanIntake(requests: Intake, redaction: Redaction | null): Intake {
  return {
    ...requests,
    take(value, index, context): Taken {
      const { bytes, read, resource } = value as IncomingSpan;
      if (bytes > requests.maxLineBytes)
        return refuse({ kind: 'size', field: 'span', reason: `takes more than ${requests.maxLineBytes} bytes` });
      try {
        const span = read();
        if (!isModelRequest(span)) return ignored;
        const missing = findMissing(span);
        if (missing !== null) return refuse(missing);
        const { sender } = context;
        const ownership = { creator: onlyCreatorOf(sender), sender: sender?.name ?? null, resource: resource() };
        const input = toRequestInput(span, ownership, requestIdOf(span));
        return requests.take(redaction === null ? input : maskUnreadableParts(input, redaction), index, context);
      } catch (error) {
        if (error instanceof TooManyValuesError) return refuse({ kind: 'size', field: 'span', reason: tooManyValues });
        return refuse(contentFault('span', 'cannot be read'));
      }
    },
  };
}

/** A span that is sent again, also by another way, is the same request. */
export function requestIdOf({ traceId, spanId }: Pick<Span, 'traceId' | 'spanId'>): string {
  return deriveId(JSON.stringify(['sluice otlp', traceId, spanId]), 0);
}

/** The id of a request comes from both ids of its span, and a request has a start. */
function findMissing({ traceId, spanId, startMs }: Span) {
  if (!/^(?!0+$)[0-9a-f]{32}$/.test(traceId))
    return contentFault('traceId', 'is not 16 bytes, in JSON 32 hexadecimal digits');
  if (!/^(?!0+$)[0-9a-f]{16}$/.test(spanId))
    return contentFault('spanId', 'is not 8 bytes, in JSON 16 hexadecimal digits');
  return startMs === null ? contentFault('startTimeUnixNano', 'is missing, or is no number of ns') : null;
}

function onlyCreatorOf(sender: Sender | null): string | null {
  const [creator, ...others] = sender?.creators ?? [];
  return creator === undefined || others.length > 0 ? null : creator;
}
