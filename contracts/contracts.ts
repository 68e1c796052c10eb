import { z } from 'zod';
import { requestRecordSchema } from '../shared/contracts/completed-request-schema.ts';
import { compressedChunkSchema } from '../shared/contracts/compressed-chunk-schema.ts';
import { executionInputSchema } from '../shared/contracts/execution-input.ts';
import { executionRecordSchema } from '../shared/contracts/execution-schema.ts';
import { healthEventSchema } from '../shared/contracts/health-event-schema.ts';
import { ledgerReportSchema } from '../shared/contracts/ledger-report-schema.ts';
import { chunkSchema } from '../shared/contracts/parse-chunk.ts';
import { begunRequestInputSchema, requestInputSchema } from '../shared/contracts/request-input.ts';
import type { Contract } from './contract.ts';
import * as chunks from './examples/chunks.ts';
import * as executions from './examples/executions.ts';
import * as health from './examples/health-events.ts';
import * as requests from './examples/requests.ts';
import { begunInputFields, executionInputFields, requestInputFields } from './input-fields.ts';

const chunkOf = (record: z.ZodType): z.ZodType =>
  chunkSchema.extend({
    records: z
      .array(record)
      .min(1)
      .describe(
        'In the order in which they were recorded. A worker takes each by itself: a bad one becomes a dead letter.',
      ),
  });

/** All that is published, in the order of the README. */
export const contracts: readonly Contract[] = [
  {
    name: 'execution-input',
    title: 'Execution, as a service sends it',
    version: '1.0',
    description:
      'A run of a strategy in the body of POST /v1/executions. Null counts as absent. What PostgreSQL cannot store (NUL, lone surrogates) is replaced, and a text that is too long is cut; `notes` of the row says so.',
    schema: executionInputSchema,
    fields: executionInputFields,
    ...executions.input,
  },
  {
    name: 'request-input',
    title: 'Request that has ended, as a service sends it',
    version: '1.1',
    description:
      'A request to a model in the body of POST /v1/requests. Null counts as absent. What PostgreSQL cannot store (NUL, lone surrogates) is replaced, and a text that is too long is cut; `notes` of the row says so.',
    schema: requestInputSchema,
    fields: requestInputFields,
    ...requests.input,
  },
  {
    name: 'begun-request-input',
    title: 'Request that still runs, as a service sends it',
    version: '1.1',
    description: 'The body of PUT /v1/requests/{id}/begin. Its end is sent later as a request input with the same id.',
    schema: begunRequestInputSchema,
    fields: begunInputFields,
    ...requests.begunInput,
  },
  {
    name: 'execution-record',
    title: 'Execution, as it travels in a chunk',
    version: '1.1',
    description:
      'A run of a strategy with all that its row needs. Fields without a value are left out. Texts have neither NUL nor lone surrogates: PostgreSQL would refuse the record.',
    schema: executionRecordSchema,
    ...executions.record,
  },
  {
    name: 'request-record',
    title: 'Completed request, as it travels in a chunk',
    version: '1.2',
    description:
      'The beginning or the end of a request to a model. Fields without a value are left out. Texts have neither NUL nor lone surrogates: PostgreSQL would refuse the record.',
    schema: requestRecordSchema,
    ...requests.record,
  },
  {
    name: 'execution-chunk',
    title: 'Chunk of executions',
    version: '1.2',
    description:
      'The data of a job in the queue `execution-log`. Workers ignore members of the chunk that they do not know.',
    schema: chunkOf(executionRecordSchema),
    ...chunks.executions,
  },
  {
    name: 'request-chunk',
    title: 'Chunk of completed requests',
    version: '1.2',
    description:
      'The data of a job in the queue `completed-request`. Workers ignore members of the chunk that they do not know.',
    schema: chunkOf(requestRecordSchema),
    ...chunks.requests,
  },
  {
    name: 'compressed-chunk',
    title: 'Compressed chunk',
    version: '1.0',
    description:
      'An envelope around the text of a plain chunk. Workers read it from its text: the members have to be in the order of this schema, without spaces, and nothing else. Nobody has to write it, plain chunks stay valid.',
    schema: compressedChunkSchema,
    ...chunks.compressed,
  },
  {
    name: 'ledger-report',
    title: 'Report to the ledger',
    version: '1.0',
    description:
      'The data of a job of either queue, by which a producer tells how many records it took and what became of them. All counters are totals, so a report may come twice, late or never. Nobody has to send any.',
    schema: ledgerReportSchema,
    ...chunks.reports,
  },
  {
    name: 'health-event',
    title: 'Health event',
    version: '1.0',
    description:
      'The fields of an entry in the Redis stream `runtime:health_events`, all of them text. Other fields are ignored.',
    schema: healthEventSchema,
    ...health.events,
  },
];
