import { LazyRecord } from '../../producers/core/lazy-record.ts';
import { uuidV7 } from '../../producers/core/uuid-v7.ts';
import type { BegunRequest, Body } from '../../producers/requests/completed-request.ts';
import {
  type CapturedRequest,
  captureBegunRequest,
  captureCompletedRequest,
  type RequestContext,
} from '../../producers/requests/request-record.ts';
import {
  type BegunRequestInput,
  begunRequestInputSchema,
  type RequestInput,
  requestInputSchema,
} from '../../shared/contracts/request-input.ts';
import type { Sender } from '../access/sender.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Limits } from '../limits.ts';
import type { Fault } from './body-tally.ts';
import { checkInput, contentFault, idOf } from './find-fault.ts';
import { type BodyContext, type Intake, refuse, type Taken } from './intake.ts';
import { deriveId } from './record-identity.ts';

export interface RequestIntakeOptions {
  delivery: Delivery;
  limits: Limits;
  record: Pick<RequestContext, 'maxBodyBytes' | 'hashApiKey' | 'redaction'>;
  /** ms since 1970 */
  now: () => number;
}

/** Reads requests as services send them: those that have ended. */
export function createRequestIntake(options: RequestIntakeOptions): Intake {
  return intakeOf(options, (value, index, context) => {
    const { value: input, fault } = checkInput(requestInputSchema, value);
    if (fault !== null) return fault;
    const { notes, requestEncoding, responseEncoding, ...request } = input;
    const responseBody = readBody('responseBody', request.responseBody, responseEncoding);
    if (isFault(responseBody)) return responseBody;
    return captureWith(options, captureCompletedRequest, input, index, context, {
      ...request,
      completedAt: request.completedAt ?? context.arrivedMs,
      responseBody,
    });
  });
}

/** Reads the one request of `PUT /v1/requests/:id/begin`. @param id of the address */
export function createBeginIntake(options: RequestIntakeOptions, id: string): Intake {
  return intakeOf(options, (value, index, context) => {
    const { value: input, fault } = checkInput(begunRequestInputSchema, value);
    if (fault !== null) return fault;
    if (input.requestId != null && input.requestId.toLowerCase() !== id.toLowerCase())
      return contentFault('requestId', 'is not the one of the address');
    if (index > 0) return contentFault('record', 'is not the only one; begin requests one by one');
    const { notes, requestEncoding, ...request } = input;
    return captureWith(options, captureBegunRequest, { ...input, requestId: id }, index, context, request);
  });
}

function intakeOf(
  { delivery, limits }: RequestIntakeOptions,
  read: (value: unknown, index: number, context: BodyContext) => LazyRecord | Fault,
): Intake {
  return {
    kind: 'requests',
    delivery,
    maxLineBytes: limits.lineBytes.requests,
    take(value, index, context): Taken {
      const result = read(value, index, context);
      if (result instanceof LazyRecord) return { outcome: 'record', record: result, realm: null };
      return refuse({ ...result, ...idOf(value, 'requestId') });
    },
  };
}

function captureWith<R extends BegunRequest>(
  { record, now }: RequestIntakeOptions,
  capture: (request: R, context: RequestContext) => CapturedRequest,
  input: BegunRequestInput | RequestInput,
  index: number,
  { sender, notes, arrivedMs, idSeed }: BodyContext,
  request: object,
): LazyRecord | Fault {
  const barred = findBarredCreator(input, sender);
  if (barred !== null) return barred;
  const requestBody = readBody('requestBody', input.requestBody, input.requestEncoding);
  if (isFault(requestBody)) return requestBody;
  const requestId = input.requestId ?? (idSeed === null ? uuidV7(arrivedMs) : deriveId(idSeed, index));
  try {
    const captured = capture({ ...request, requestId, requestBody } as unknown as R, {
      ...record,
      stripRequestKeys: [],
      nowMs: now(),
      span: null,
      notes: input.notes == null ? notes : [...notes, input.notes],
    });
    return new LazyRecord({ bytes: captured.leastBytes, hasSpan: captured.hasSpan, write: () => captured.write() });
  } catch {
    return contentFault('record', 'cannot be read');
  }
}

function isBase64(text: string): boolean {
  // Looks for what is wrong: a pattern of the whole would have to remember each of its millions of steps.
  return text.length % 4 === 0 && !/[^A-Za-z0-9+/=]|=[^=]|=.{2}/.test(text);
}

/** Text as it is; the text of what is JSON; the bytes of base64. */
function readBody(field: string, body: unknown, encoding: 'utf8' | 'base64' | null | undefined): Body | Fault {
  if (body === undefined || body === null) return '';
  if (encoding === 'base64')
    return typeof body === 'string' && isBase64(body)
      ? Buffer.from(body, 'base64')
      : contentFault(field, 'is not base64, as its encoding says');
  if (typeof body === 'string') return body;
  try {
    return JSON.stringify(body);
  } catch {
    return contentFault(field, 'is nested too deeply; send its text');
  }
}

function isFault(value: unknown): value is Fault {
  return typeof value === 'object' && value !== null && 'kind' in value && !ArrayBuffer.isView(value);
}

function findBarredCreator({ createdBy }: Pick<RequestInput, 'createdBy'>, sender: Sender | null): Fault | null {
  const creators = sender?.creators ?? null;
  if (creators === null || creators.includes(createdBy.trim())) return null;
  return { kind: 'access', field: 'createdBy', reason: 'is none of the creators that the token may write' };
}
