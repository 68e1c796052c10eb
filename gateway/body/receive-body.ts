import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { Refusal } from '../http/refusal.ts';
import type { BodyTally, Fault } from '../intake/body-tally.ts';
import { contentFault } from '../intake/find-fault.ts';
import type { BodyContext, Intake } from '../intake/intake.ts';
import { jsonShare, type Limits } from '../limits.ts';
import { type BodyEncoding, decodedBody, readerBytes } from './decoded-body.ts';
import { hasTooManyValues, isHarmless, parseJsonParts, TooManyValuesError, tooManyValues } from './json-parts.ts';
import { LineSplitter, tooLong } from './line-splitter.ts';
import type { Holding, MemoryBudget } from './memory-budget.ts';
import { createSlice, type Slice } from './slice.ts';

export type BodyFormat = 'json' | 'ndjson' | 'protobuf';

/** Finds the records of a body that is read as a whole. One that cannot be parsed at once is a TooManyValuesError. @throws Refusal */
export type SplitBody = (body: Buffer, maxRecords: number, slice: Slice) => Promise<readonly unknown[]>;

/** A body, and what is done with its records. */
export interface IncomingBody {
  stream: Readable;
  format: BodyFormat;
  encoding: BodyEncoding;
  intake: Intake;
  context: BodyContext;
  tally: BodyTally;
  limits: Limits;
  budget: MemoryBudget;
  /** @default JSON of one record, or of a list */
  split?: SplitBody | undefined;
  /** told of bytes, decompressed, as they are read */
  onBytes(bytes: number): void;
}

/**
 * Reads a body and puts its records into the buffer as they come. Resolves when all of them are in the buffer or rejected.
 *
 * @throws Refusal when the body as a whole is not taken; records that were in the buffer by then are sent all the same
 */
export async function receiveBody(body: IncomingBody): Promise<void> {
  const holding = body.budget.open();
  try {
    await (body.format === 'ndjson' ? receiveLines(body, holding) : receiveWhole(body, holding));
  } finally {
    holding.release();
  }
}

async function receiveLines(body: IncomingBody, holding: Holding): Promise<void> {
  const splitter = new LineSplitter(body.intake.maxLineBytes);
  const slice = createSlice();
  const takeLine = (line: Buffer | typeof tooLong): Promise<void> | null =>
    line === tooLong ? reject(body, tooLongFault(body.intake)) : takeText(body, line);
  let isFirst = true;
  for await (const chunk of chunksOf(body, holding, () => splitter.heldBytes)) {
    for (const line of splitter.push(isFirst ? withoutMark(chunk) : chunk)) {
      isFirst = false;
      const waits = takeLine(line);
      if (waits !== null) await waits;
      if (slice.isOver) await slice.next();
    }
    isFirst = false;
  }
  const last = splitter.end();
  if (last !== null) await takeLine(last);
}

async function receiveWhole(body: IncomingBody, holding: Holding): Promise<void> {
  const { limits, split = recordsOfJson } = body;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(body, holding, () => bytes * jsonShare)) {
    bytes += chunk.length;
    if (bytes > limits.jsonBytes)
      throw new Refusal(
        'too-large',
        body.split === undefined
          ? `The body is JSON of more than ${limits.jsonBytes} bytes; send NDJSON, which is read line by line`
          : `The body is larger than ${limits.jsonBytes} bytes; send its records in several bodies`,
      );
    chunks.push(chunk);
  }
  const whole = Buffer.concat(chunks);
  chunks.length = 0;
  const slice = createSlice();
  const records = await split(whole, limits.recordsPerBody, slice);
  if (records.length > limits.recordsPerBody) throw tooMany(limits);
  for (const record of records) {
    const waits = record instanceof TooManyValuesError ? reject(body, tooManyValuesFault) : take(body, record);
    if (waits !== null) await waits;
    if (slice.isOver) await slice.next();
  }
}

async function recordsOfJson(body: Buffer, maxRecords: number, slice: Slice): Promise<readonly unknown[]> {
  const text = withoutMark(body);
  if (!isHarmless(text)) {
    const { outline, parts } = await parseJsonParts(text, {
      ...{ within: '[', what: 'records', maxParts: maxRecords, slice },
    });
    return Array.isArray(outline) ? parts : [outline];
  }
  const parsed = parse(text);
  if ('fault' in parsed) throw new Refusal('invalid-json', `The body ${parsed.fault.reason}`);
  return Array.isArray(parsed.value) ? parsed.value : [parsed.value];
}

/** The chunks of a body, as long as there is memory for it. */
async function* chunksOf(body: IncomingBody, holding: Holding, ownBytes: () => number): AsyncGenerator<Buffer> {
  const { stream, encoding, limits, onBytes } = body;
  const hold = (): void => {
    if (!holding.set(readerBytes[encoding] + ownBytes()))
      throw new Refusal(
        'buffer-full',
        'The gateway reads as many bodies as it has memory for; send the same body again later',
      );
  };
  hold();
  for await (const chunk of decodedBody(stream, encoding, limits.bodyBytes)) {
    onBytes(chunk.length);
    yield chunk;
    hold();
  }
}

function takeText(body: IncomingBody, line: Buffer): Promise<void> | null {
  if (hasTooManyValues(line)) return reject(body, tooManyValuesFault);
  const parsed = parse(line);
  return 'fault' in parsed ? reject(body, parsed.fault) : take(body, parsed.value);
}

/** Null: it need not be waited for. */
function take({ intake, context, tally, limits }: IncomingBody, value: unknown): Promise<void> | null {
  const index = tally.records;
  if (index >= limits.recordsPerBody) throw tooMany(limits);
  const taken = intake.take(value, index, context);
  if (taken.outcome === 'fault') tally.reject(index, taken.fault);
  if (taken.outcome === 'sampledOut') tally.sampledOut += 1;
  if (taken.outcome === 'ignored') tally.ignored += 1;
  if (taken.outcome !== 'record') return null;
  const { delivery } = intake;
  const { record, realm } = taken;
  // At once: what it is made from takes more memory than its text.
  record.serialize();
  const { bytes } = record;
  if (bytes > delivery.maxRecordBytes) {
    tally.reject(index, { kind: 'size', field: 'record', reason: `takes more than ${delivery.maxRecordBytes} bytes` });
    return null;
  }
  return delivery.put({ record, realm, bytes, tally, index });
}

function reject({ tally, limits }: IncomingBody, fault: Fault): null {
  if (tally.records >= limits.recordsPerBody) throw tooMany(limits);
  tally.reject(tally.records, fault);
  return null;
}

function parse(text: Buffer): { value: unknown } | { fault: Fault } {
  if (!isUtf8(text)) return { fault: contentFault('record', 'is not UTF-8') };
  try {
    return { value: JSON.parse(text.toString()) };
  } catch (thrown) {
    const position = /at position (\d+)/.exec(String(thrown))?.[1];
    return {
      fault: contentFault(
        'record',
        `is not JSON${position === undefined ? '' : `, from its character ${position} on`}`,
      ),
    };
  }
}

const tooManyValuesFault: Fault = { kind: 'size', field: 'record', reason: tooManyValues };

function tooLongFault({ maxLineBytes }: Intake): Fault {
  return { kind: 'size', field: 'record', reason: `is a line of more than ${maxLineBytes} bytes` };
}

function tooMany({ recordsPerBody }: Limits): Refusal {
  return new Refusal('too-large', `The body has more than ${recordsPerBody} records; send them in several bodies`);
}

/** Some editors and tools write a byte order mark. */
function withoutMark(chunk: Buffer): Buffer {
  return chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf ? chunk.subarray(3) : chunk;
}
