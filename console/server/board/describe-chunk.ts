import { UnreadData } from './unread-data.ts';

/** How many records of a chunk are shown; a job may carry thousands. */
const recordsShown = 20;
/** How many characters of a text are shown. */
const charsShown = 2_000;

/** Fields that are about people or belong to them: inputs, what was computed from them, bodies, users' ids. */
const privateFields = new Set(['input', 'trace', 'requestBody', 'responseBody', 'externalUserId', 'createdBy']);

/**
 * A job's data for display: for a chunk, its first records. Long texts are cut.
 *
 * @param data of a BullMQ job, of any form
 * @param reveals whether private fields are shown; otherwise only their type and size
 */
export function describeChunk(data: unknown, reveals: boolean): unknown {
  if (data instanceof UnreadData) return data.describe();
  if (!isObject(data)) return data === undefined ? null : 'data that is not a chunk';
  const { records, ...header } = data;
  if (!Array.isArray(records)) return reveals ? shorten(data) : 'data that is not a chunk';
  return {
    ...(shorten(header) as Record<string, unknown>),
    recordCount: records.length,
    records: records.slice(0, recordsShown).map((record) => describeRecord(record, reveals)),
    ...(records.length > recordsShown ? { more: `${records.length - recordsShown} more records, not shown` } : {}),
  };
}

function describeRecord(record: unknown, reveals: boolean): unknown {
  if (!isObject(record)) return reveals ? shorten(record) : `hidden: ${kindOf(record)}`;
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      privateFields.has(name) && !reveals && value !== null ? `hidden: ${kindOf(value)}` : shorten(value),
    ]),
  );
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return `text of ${value.length} characters`;
  if (Array.isArray(value)) return `list of ${value.length}`;
  if (isObject(value)) return `object with ${Object.keys(value).length} fields`;
  return value === null ? 'nothing' : typeof value;
}

function shorten(value: unknown): unknown {
  if (typeof value === 'string')
    return value.length <= charsShown ? value : `${value.slice(0, charsShown)}… (${value.length} characters)`;
  if (Array.isArray(value)) return value.slice(0, charsShown).map(shorten);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shorten(inner)]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
