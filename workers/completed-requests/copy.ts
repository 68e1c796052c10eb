import { hash } from 'node:crypto';
import { requestFields } from '../../shared/contracts/canonical-text.ts';
import { findImplausibility } from '../../shared/contracts/plausible-time.ts';
import { copyRows } from '../../shared/platform/postgres/database.ts';
import { createCanonicalReader } from '../ingest/canonical-chunk.ts';
import { CopyText, copyNull } from '../ingest/copy-text.ts';
import type { CopyDefinition, CopyRows } from '../ingest/queue-definition.ts';
import { narrowFields } from './fields.ts';
import { copyVeto, nobody, requestCopy, templateCopy, templateSeed } from './statement.ts';

interface RequestRows extends CopyRows {
  requests: Buffer;
  templates: Buffer;
  ids: readonly string[];
  /** of the times at which they began */
  earliest: string;
}

const readChunk = createCanonicalReader({ narrow: narrowFields, wide: requestFields.wide });

/** The fields of a record as they are stored; those without a value are null to COPY. */
type Fields = Record<(typeof requestFields.narrow)[number], string>;

/** Where the bodies begin and end in the chunk. */
type Bodies = readonly [requestFrom: number, requestUntil: number, responseFrom: number, responseUntil: number];

/** Fields that a completion has, and a beginning has not. */
const ofAnEnd: readonly (keyof Fields)[] = [
  'completedAt',
  'statusCode',
  'responseEncoding',
  'responseBytes',
  'responseCut',
  'isStream',
  'isIncomplete',
];

/**
 * COPY of requests whose rows are not there yet, most of all those that are only told of when they are over. Where a row, or a
 * template, is there already, PostgreSQL refuses all of them, and the statement stores them.
 */
export const completedRequestCopy: CopyDefinition = {
  read(chunk, latest) {
    const requests = new CopyText(chunk);
    const templates = new CopyText(chunk);
    const ids: string[] = [];
    let earliest = latest;
    const read = readChunk(chunk, (narrow, parts) => {
      const fields = toFields(narrow);
      const bodies = parts as unknown as Bodies;
      if (fields === null || !isWhole(fields, bodies) || isOdd(fields, latest)) return false;
      ids.push(fields.requestId);
      if (fields.startedAt < earliest) earliest = fields.startedAt;
      const templateId = hash('sha256', `${templateSeed}${fields.requestId}`).slice(0, 32);
      return writeTemplate(templates, fields, bodies, templateId) && writeRequest(requests, fields, bodies, templateId);
    });
    if (read === null) return null;
    const rows: RequestRows = {
      ...{ records: read.records, requests: requests.toBuffer(), templates: templates.toBuffer(), ids, earliest },
      bytes: requests.length + templates.length,
    };
    return { chunk: read, rows };
  },
  async store(database, rows) {
    const all = rows as readonly RequestRows[];
    const earliest = all.reduce((least, one) => (one.earliest < least ? one.earliest : least), all[0]?.earliest ?? '');
    const tables = [
      { statement: templateCopy, lines: all.map(({ templates }) => templates) },
      { statement: requestCopy, lines: all.map(({ requests }) => requests) },
    ];
    const ids = all.flatMap((one) => one.ids);
    const counts = await copyRows(database, { veto: copyVeto(ids, earliest), tables });
    if (counts === null) return null;
    const [, inserted = 0] = counts;
    // A trigger of the operator may have left some out.
    return { outcomes: { inserted, duplicate: ids.length - inserted }, unstored: [] };
  },
};

/** Null when it has a creator whose name may be blank. */
function toFields(narrow: readonly string[]): Fields | null {
  const fields = Object.fromEntries(requestFields.narrow.map((name, index) => [name, narrow[index]])) as Fields;
  // What escapes stand for may be blank.
  const { createdBy } = fields;
  return createdBy.trim() === '' || createdBy.includes('\\') ? null : fields;
}

/** Whether a record has all fields of its phase, and none of the other. */
function isWhole(fields: Fields, [request, , response]: Bodies): boolean {
  const isOver = fields.phase === 'completed';
  return (
    request !== -1 && isOver === (response !== -1) && ofAnEnd.every((name) => isOver === (fields[name] !== copyNull))
  );
}

function isOdd({ phase, startedAt, completedAt }: Fields, latest: string): boolean {
  if (findImplausibility(startedAt, latest) !== null) return true;
  return phase === 'completed' && (findImplausibility(completedAt, latest) !== null || completedAt < startedAt);
}

function writeTemplate(to: CopyText, fields: Fields, [from, until]: Bodies, templateId: string): boolean {
  const { endpoint, model, requestEncoding, requestBytes, requestCut, apiKeyHash, startedAt } = fields;
  const columns = [
    templateId,
    'POST',
    endpoint,
    model,
    requestEncoding,
    requestBytes,
    requestCut,
    apiKeyHash,
    startedAt,
  ];
  to.add(columns.join('\t'));
  const isWritten = to.addText(from, until);
  to.end();
  return isWritten;
}

function writeRequest(to: CopyText, fields: Fields, [, , from, until]: Bodies, templateId: string): boolean {
  const { phase, requestId, model, serviceTier, createdBy, startedAt, completedAt, statusCode, notes } = fields;
  const { responseEncoding, responseBytes, responseCut, isStream, isIncomplete, traceId, spanId } = fields;
  const isOver = phase === 'completed';
  const hasFailed = isOver && !/^2/.test(statusCode);
  const state = isOver ? (hasFailed ? 'failed' : 'completed') : 'processing';
  const columns = [
    ...[requestId, templateId, state, model, serviceTier, createdBy, nobody, statusCode, responseEncoding],
    ...(isOver ? [responseBytes, responseCut, isStream, isIncomplete] : ['0', 'f', 'f', 'f']),
    hasFailed ? `{"type" : "NonRetriableHttpStatus", "details" : {"status" : ${statusCode}}}` : copyNull,
    ...[notes, startedAt, startedAt, startedAt],
    ...(hasFailed ? [copyNull, completedAt] : [completedAt, copyNull]),
    ...[traceId, spanId],
  ];
  to.add(columns.join('\t'));
  const isWritten = isOver ? to.addText(from, until) : true;
  if (!isOver) to.addNull();
  to.end();
  return isWritten;
}
