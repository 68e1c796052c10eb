import type { RequestRecord } from '../../shared/contracts/completed-request-schema.ts';
import { readFacts } from '../../shared/facts/read-facts.ts';
import { factsVersion } from '../../shared/facts/request-facts.ts';
import { recordTexts } from '../ingest/record-texts.ts';

/** What `withFacts` adds to a record, beside its provider, and the types that the statement reads it with. */
export const factFields = [
  { name: 'api', type: 'text' },
  { name: 'inputTokens', type: 'bigint' },
  { name: 'cachedTokens', type: 'bigint' },
  { name: 'outputTokens', type: 'bigint' },
  { name: 'reasoningTokens', type: 'bigint' },
  { name: 'finishReason', type: 'text' },
  { name: 'toolCalls', type: 'integer' },
  { name: 'factsVersion', type: 'smallint' },
] as const;

/**
 * A JSON list of records, each of which has what its bodies say behind its own fields. Of a request that still runs nothing is
 * read: its end is.
 *
 * @param json records that keep to their contract
 */
export function withFacts(json: string): string {
  return `[${recordTexts(json).map(addFacts).join(',')}]`;
}

/** Of two members of one name, PostgreSQL takes the last: so a provider that was read takes the place of a blank one. */
function addFacts(text: string): string {
  const record = JSON.parse(text) as RequestRecord;
  if (record.phase !== 'completed') return text;
  const { requestEncoding, requestBody, responseEncoding, responseBody } = record;
  const facts = readFacts({
    endpoint: record.endpoint,
    model: record.model,
    statusCode: record.statusCode,
    provider: record.provider || null,
    request: requestEncoding === 'utf8' ? { text: requestBody, isEscaped: false } : null,
    response: responseEncoding === 'utf8' ? { text: responseBody, isEscaped: false } : null,
  });
  return `${text.slice(0, text.lastIndexOf('}'))},${JSON.stringify({ ...facts, factsVersion }).slice(1)}`;
}
