import { hash } from 'node:crypto';
import { requestFields } from '../../shared/contracts/canonical-text.ts';
import { findImplausibility } from '../../shared/contracts/plausible-time.ts';
import { readFacts } from '../../shared/facts/read-facts.ts';
import { factsVersion } from '../../shared/facts/request-facts.ts';
import { copyRows } from '../../shared/platform/postgres/database.ts';
import { accountsOf } from '../ingest/account-rows.ts';
import { createCanonicalReader } from '../ingest/canonical-chunk.ts';
import { type ChunkText, CopyText, copyNull, textOfCopy } from '../ingest/copy-text.ts';
import { earliestOf } from '../ingest/earliest-of.ts';
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

/** The narrow fields of a record as they are stored, by their places; those without a value are null to COPY. */
type NarrowFields = Texts<typeof requestFields.narrow>;
type Texts<List extends readonly unknown[]> = { [Place in keyof List]: string };

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
    const requests = new CopyText(chunk, 0.6);
    const templates = new CopyText(chunk, 0.6);
    const ids: string[] = [];
    let earliest = latest;
    const read = readChunk(chunk, (narrow, parts) => {
      const fields = toFields(narrow as unknown as NarrowFields);
      const bodies = parts as unknown as Bodies;
      if (fields === null || !isWhole(fields, bodies) || isOdd(fields, latest)) return false;
      ids.push(fields.requestId);
      if (fields.startedAt < earliest) earliest = fields.startedAt;
      const [requestFrom, requestUntil, responseFrom, responseUntil] = bodies;
      const request = templates.readText(requestFrom, requestUntil);
      const response = responseFrom === -1 ? null : requests.readText(responseFrom, responseUntil);
      if (request === null || (response === null && responseFrom !== -1)) return false;
      const templateId = hash('sha256', `${templateSeed}${fields.requestId}`).slice(0, 32);
      writeTemplate(templates, fields, request, templateId);
      writeRequest(requests, fields, request, response, templateId);
      return true;
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
    const tables = [
      { statement: templateCopy, lines: all.map(({ templates }) => templates) },
      { statement: requestCopy, lines: all.map(({ requests }) => requests) },
    ];
    const ids = all.flatMap((one) => one.ids);
    const counts = await copyRows(database, {
      veto: copyVeto(ids, earliestOf(all)),
      tables,
      also: accountsOf('completed-request', all),
    });
    if (counts === null) return null;
    const [, inserted = 0] = counts;
    // A trigger of the operator may have left some out.
    return { outcomes: { inserted, duplicate: ids.length - inserted }, unstored: [] };
  },
};

/** Null when it has a creator whose name may be blank. */
function toFields(narrow: NarrowFields): Fields | null {
  const [phase, requestId, createdBy, model, endpoint, serviceTier, startedAt, completedAt, statusCode, ...bodies] =
    narrow;
  const [requestEncoding, requestBytes, requestCut, responseEncoding, responseBytes, responseCut, ...rest] = bodies;
  const [isStream, isIncomplete, apiKeyHash, notes, traceId, spanId, provider, firstTokenAt] = rest;
  // What escapes stand for may be blank.
  if (createdBy.trim() === '' || createdBy.includes('\\')) return null;
  return {
    ...{ phase, requestId, createdBy, model, endpoint, serviceTier, startedAt, completedAt, statusCode },
    ...{ requestEncoding, requestBytes, requestCut, responseEncoding, responseBytes, responseCut },
    ...{ isStream, isIncomplete, apiKeyHash, notes, traceId, spanId, provider, firstTokenAt },
  };
}

/** Whether a record has all fields of its phase, and none of the other. */
function isWhole(fields: Fields, [request, , response]: Bodies): boolean {
  const isOver = fields.phase === 'completed';
  if (request === -1 || isOver !== (response !== -1) || (!isOver && fields.firstTokenAt !== copyNull)) return false;
  return ofAnEnd.every((name) => isOver === (fields[name] !== copyNull));
}

function isOdd({ phase, startedAt, completedAt, firstTokenAt }: Fields, latest: string): boolean {
  if (findImplausibility(startedAt, latest) !== null) return true;
  if (phase !== 'completed') return false;
  const isOddAfterStart = (time: string): boolean => findImplausibility(time, latest) !== null || time < startedAt;
  return isOddAfterStart(completedAt) || (firstTokenAt !== copyNull && isOddAfterStart(firstTokenAt));
}

function writeTemplate(to: CopyText, fields: Fields, body: ChunkText, templateId: string): void {
  const { endpoint, model, requestEncoding, requestBytes, requestCut, apiKeyHash, startedAt } = fields;
  const request = `${endpoint}\t${model}\t${requestEncoding}\t${requestBytes}\t${requestCut}`;
  to.add(`${templateId}\tPOST\t${request}\t${apiKeyHash}\t${startedAt}`);
  to.addText(body);
  to.end();
}

/** @param response null: the request still runs */
function writeRequest(
  to: CopyText,
  fields: Fields,
  request: ChunkText,
  response: ChunkText | null,
  templateId: string,
): void {
  const { phase, requestId, model, serviceTier, createdBy, startedAt, completedAt, statusCode, notes } = fields;
  const { responseEncoding, responseBytes, responseCut, isStream, isIncomplete, traceId, spanId } = fields;
  const isOver = phase === 'completed';
  const hasFailed = isOver && !statusCode.startsWith('2');
  const state = isOver ? (hasFailed ? 'failed' : 'completed') : 'processing';
  const about = `${requestId}\t${templateId}\t${state}\t${model}\t${serviceTier}\t${createdBy}\t${nobody}`;
  const answer = isOver ? `${responseBytes}\t${responseCut}\t${isStream}\t${isIncomplete}` : '0\tf\tf\tf';
  const error = hasFailed ? `{"type" : "NonRetriableHttpStatus", "details" : {"status" : ${statusCode}}}` : copyNull;
  const end = hasFailed ? `${copyNull}\t${completedAt}` : `${completedAt}\t${copyNull}`;
  to.add(`${about}\t${statusCode}\t${responseEncoding}\t${answer}\t${error}\t${notes}\t`);
  to.add(
    `${startedAt}\t${startedAt}\t${startedAt}\t${end}\t${traceId}\t${spanId}\t${factsOf(fields, request, response)}`,
  );
  if (response === null) to.addNull();
  else to.addText(response);
  to.end();
}

/** The columns of what the bodies say. */
function factsOf(fields: Fields, request: ChunkText, response: ChunkText | null): string {
  const { provider, firstTokenAt, requestEncoding, responseEncoding } = fields;
  const named = provider === '' ? copyNull : provider;
  if (response === null) return `${named}${noFacts}`;
  const facts = readFacts({
    endpoint: textOfCopy(fields.endpoint),
    model: textOfCopy(fields.model),
    statusCode: Number(fields.statusCode),
    provider: null,
    request: requestEncoding === 'utf8' ? request : null,
    response: responseEncoding === 'utf8' ? response : null,
  });
  const { api, inputTokens, cachedTokens, outputTokens, reasoningTokens, finishReason, toolCalls } = facts;
  const tokens = `${toColumn(inputTokens)}\t${toColumn(cachedTokens)}\t${toColumn(outputTokens)}\t${toColumn(reasoningTokens)}`;
  const served = `${named === copyNull ? toColumn(facts.provider) : named}\t${toColumn(api)}`;
  return `${served}\t${tokens}\t${toColumn(finishReason)}\t${toColumn(toolCalls)}\t${firstTokenAt}\t${factsVersion}`;
}

/** A beginning has but its provider: its end is read. */
const noFacts = `\t${copyNull}`.repeat(9);

function toColumn(fact: string | number | null): string | number {
  return fact ?? copyNull;
}
