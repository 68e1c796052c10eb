import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { uuidV7 } from '../../../producers/core/uuid-v7.ts';
import type { Contender } from '../../contenders/contender.ts';
import { blocksOf, toCopyText } from '../../copy-text.ts';
import type { Testbed } from '../../testbed.ts';
import type { Completion, RequestRows } from '../request-rows.ts';

const bytesPerBlock = 256 * 1_024;

/**
 * Raw COPY on one connection: no queue, no SDK, no checks; one transaction, so a crash loses everything. The text of the rows is
 * prepared before the clock starts. It is the yardstick for the others: nothing stores these rows in these tables for less.
 */
export async function createRequestCopy(testbed: Testbed, rows: RequestRows): Promise<Contender<RequestRows>> {
  const client = await testbed.connect('the COPY connection of requests');
  const linesPerBlock = Math.max(1, Math.round(bytesPerBlock / rows.meanBytes));
  const templateIds = Array.from({ length: rows.count }, () => uuidV7(Date.now()));
  const texts = Array.from({ length: rows.period }, (_, index) => toTexts(rows.record(index)));
  const textOf = (index: number) => texts[index % rows.period] as (typeof texts)[number];

  const copy = async (table: string, columns: string, lines: Generator<string>): Promise<void> =>
    pipeline(Readable.from(lines), client.query(copyFrom(`copy ${table} (${columns}) from stdin`)));

  return {
    name: 'COPY, one connection',
    share: 1,
    workerPids: () => [],
    async store(_rows, count) {
      const templateLine = (index: number) =>
        `${templateIds[index]}\t${rows.record(index).startedAt}\t${textOf(index).template}`;
      const requestLine = (index: number) => {
        const { requestId, startedAt, completedAt, statusCode } = rows.record(index);
        const ends = statusCode === 200 ? `${completedAt}\t\\N` : `\\N\t${completedAt}`;
        const times = `${startedAt}\t${startedAt}\t${startedAt}\t${ends}`;
        return `${requestId}\t${templateIds[index]}\t${times}\t${textOf(index).request}`;
      };
      await client.query('begin');
      await copy('request_template', templateColumns, blocksOf(templateLine, { count, linesPerBlock }));
      await copy('request', requestColumns, blocksOf(requestLine, { count, linesPerBlock }));
      await client.query('commit');
    },
  };
}

const templateColumns = 'id, created_at, method, path, model, body, body_encoding, body_byte_size, body_cut';
const requestColumns = `id, template_id, created_at, claimed_at, started_at, completed_at, failed_at, state, model,
  service_tier, created_by, daemon_id, response_status, response_body, response_encoding, response_size, response_stream, error`;

/** The columns after ids and times, in COPY's text format. */
function toTexts(record: Completion): { template: string; request: string } {
  const { statusCode, model, endpoint, requestBody, requestBytes, responseBody, responseBytes } = record;
  const isSuccess = statusCode === 200;
  const error = isSuccess ? null : { type: 'NonRetriableHttpStatus', details: { status: statusCode } };
  const toLine = (values: readonly unknown[]) => `${values.map(toCopyText).join('\t')}\n`;
  return {
    template: toLine(['POST', endpoint, model, requestBody, 'utf8', requestBytes, false]),
    request: toLine([
      isSuccess ? 'completed' : 'failed',
      model,
      record.serviceTier,
      record.createdBy,
      '00000000-0000-0000-0000-000000000000',
      statusCode,
      responseBody,
      'utf8',
      responseBytes,
      record.isStream,
      error,
    ]),
  };
}
