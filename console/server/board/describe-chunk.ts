import { UnreadData } from './unread-data.ts';

/** Records of a chunk that are shown; a job may carry thousands. */
const recordsShown = 20;
/** Characters of a text that are shown. */
const charsShown = 2_000;

/** What tells of people, or is theirs: inputs, what was computed from them, bodies, ids of users. */
const privateFields = new Set(['input', 'trace', 'requestBody', 'responseBody', 'externalUserId', 'createdBy']);

/**
 * A job's data as a person wants to see it: a chunk as its records, the first of them; long texts are cut.
 *
 * @param data of a BullMQ job, whatever it is
 * @param reveals whether private fields are shown; else what they hold is told by its kind and size only
 */
export function describeChunk(data: unknown, reveals: boolean): unknown {
  if (data instanceof UnreadData) return data.describe();
  if (!isObject(data)) return data === undefined ? null : 'data that is no chunk';
  const { records, ...header } = data;
  if (!Array.isArray(records)) return reveals ? shorten(data) : 'data that is no chunk';
  return {
    ...(shorten(header) as Record<string, unknown>),
    recordCount: records.length,
    records: records.slice(0, recordsShown).map((record) => describeRecord(record, reveals)),
    ...(records.length > recordsShown ? { more: `${records.length - recordsShown} records that are not shown` } : {}),
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
  if (isObject(value)) return `object of ${Object.keys(value).length} fields`;
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
