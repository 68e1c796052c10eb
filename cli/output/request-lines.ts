import type { RequestSummary } from '../../queries/requests/list-requests.ts';
import type { StoredBody, StoredRequest } from '../../queries/requests/requests.ts';
import { byteSize } from '../../shared/platform/byte-size.ts';
import { factLines } from './fact-lines.ts';
import { inBrackets, none, toFigure } from './figures.ts';
import type { Line, Span } from './line.ts';
import { spanLines } from './span-lines.ts';
import { type Column, toTable } from './table.ts';

/** Replaces what may be private, unless it is requested. */
const hidden = 'hidden, use --bodies to show it';

/** With what people call its creator, if it has a name. */
type Named<T> = T & { creatorName?: string | null };

/** Requests as a table. */
export function toRequestTable(
  requests: readonly Named<RequestSummary>[],
  options: { columns: number | null },
): Line[] {
  const withName = requests.some(({ creatorName }) => creatorName != null);
  const name: Column<Named<RequestSummary>> = {
    title: 'name',
    cell: ({ creatorName }) => creatorName ?? none,
    min: 6,
    optional: true,
  };
  return toTable(
    [
      // First, so that it is complete on the narrowest terminal: other commands need it.
      { title: 'id', cell: ({ id }) => id },
      { title: 'arrived', cell: ({ createdAt }) => createdAt.toISOString() },
      { title: 'state', cell: toState },
      { title: 'status', cell: ({ responseStatus }) => String(responseStatus ?? none), align: 'right' },
      { title: 'model', cell: ({ model }) => model, min: 6, optional: true },
      { title: 'ms', cell: ({ durationMs }) => toFigure(durationMs), align: 'right', optional: true },
      { title: 'creator', cell: ({ createdBy }) => createdBy, min: 6, optional: true },
      ...(withName ? [name] : []),
      { title: 'bytes', cell: ({ responseBytes }) => String(responseBytes), align: 'right', optional: true },
      { title: 'notes', cell: ({ notes }) => notes ?? '', min: 6, optional: true },
    ],
    requests,
    options,
  );
}

/** A request as one line, for an endless list. */
export function toRequestLine(request: RequestSummary): Line {
  const { createdAt, id, responseStatus, model, createdBy, durationMs } = request;
  const { text, tone } = toState(request);
  return [
    `${createdAt.toISOString()}  ${id}  `,
    { text: text.padEnd('completed'.length), tone },
    `  ${responseStatus ?? none}  ${model}  ${toFigure(durationMs)} ms  ${createdBy}`,
  ];
}

/** A request with all its details, for a person; bodies as they were stored, line by line. */
export function toRequestLines(request: Named<StoredRequest>, { bodies }: { bodies: boolean }): Line[] {
  const { response, error } = request;
  const time = (value: Date | null): string => value?.toISOString() ?? none;
  const ended = request.completedAt ?? request.failedAt ?? request.canceledAt;
  return [
    ['request     ', { text: request.id, tone: 'strong' }],
    ['state       ', toState(request)],
    `creator     ${request.createdBy}${inBrackets(request.creatorName)}`,
    `asked       ${request.method} ${request.path}, model ${request.model}, tier ${request.serviceTier}`,
    `arrived     ${time(request.createdAt)}`,
    `started     ${time(request.startedAt)}`,
    `ended       ${time(ended)}`,
    `stored      ${time(request.storedAt)}`,
    `API key     ${request.apiKeyHash === null ? none : `hash ${request.apiKeyHash}`}`,
    ...factLines(request),
    ...spanLines(request),
    ...(request.notes === null ? [] : [`notes       ${request.notes}`]),
    ...(error === null ? [] : [`error       ${bodies ? error : hidden}`]),
    `response    ${response === null ? 'none' : describeResponse(response)}`,
    ...(response === null ? [] : bodyLines('response', response, bodies)),
    `request     ${describeBody(request.request)}`,
    ...bodyLines('request', request.request, bodies),
  ];
}

/** The same for a program: without what may be private, unless it is requested. */
export function toRequestJson(request: StoredRequest, { bodies }: { bodies: boolean }): object {
  if (bodies) return request;
  const { request: asked, response, error, ...rest } = request;
  return { ...rest, request: withoutBody(asked), response: response === null ? null : withoutBody(response) };
}

function withoutBody<T extends StoredBody>({ body, ...rest }: T): Omit<T, 'body'> {
  return rest;
}

function describeResponse(response: NonNullable<StoredRequest['response']>): string {
  const { status, isStream, isIncomplete } = response;
  const kinds = [isStream ? ', a stream' : '', isIncomplete ? ', incomplete' : ''].join('');
  return `status ${status ?? none}, ${describeBody(response)}${kinds}`;
}

function describeBody({ bytes, encoding, isCut }: StoredBody): string {
  return `${byteSize(bytes)}${encoding === 'utf8' ? '' : `, as ${encoding}`}${isCut ? ', cut' : ''}`;
}

function bodyLines(name: string, { body }: StoredBody, shown: boolean): Line[] {
  if (!shown) return [`            body ${hidden}`];
  return [[{ text: `--- ${name} body`, tone: 'faint' }], ...body.split('\n'), [{ text: '---', tone: 'faint' }]];
}

function toState({ state }: { state: string }): Span {
  return { text: state, tone: state === 'completed' ? 'good' : state === 'failed' ? 'bad' : 'warning' };
}
