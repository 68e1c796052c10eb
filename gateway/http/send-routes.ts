import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isUuid } from '../../producers/core/field-reader.ts';
import type { Redaction } from '../../producers/core/redact.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { senderOf } from '../access/guard.ts';
import type { Senders } from '../access/senders.ts';
import type { MemoryBudget } from '../body/memory-budget.ts';
import { type IncomingBody, receiveBody } from '../body/receive-body.ts';
import { BodyTally } from '../intake/body-tally.ts';
import { firstArrivalMs } from '../intake/first-arrivals.ts';
import type { Intake } from '../intake/intake.ts';
import { idSeed } from '../intake/record-identity.ts';
import type { Limits } from '../limits.ts';
import type { GatewayMetrics } from '../metrics.ts';
import { sendAnswer } from './answer.ts';
import type { BodiesInProgress } from './bodies-in-progress.ts';
import { type BodyFormats, readBodyHeaders, readIdempotencyKey } from './body-headers.ts';
import { writeContinue } from './expect-continue.ts';
import { readUnlessIdle } from './idle-body.ts';
import { Refusal } from './refusal.ts';

/** What the routes need that records are sent to. */
export interface SendRouteDeps {
  executions: Intake;
  requests: Intake;
  /** the rules that both apply; null: there are none */
  redaction: Redaction | null;
  /** of the one request that is begun at an address */
  beginning(requestId: string): Intake;
  limits: Limits;
  budget: MemoryBudget;
  bodies: BodiesInProgress;
  metrics: GatewayMetrics;
  /** null: there are no tokens */
  senders: Senders | null;
  /** for how long nothing of a body may come */
  bodyIdleMs: number;
  /** for what is remembered of bodies with a key */
  redis: Redis;
  namespace: string;
  /** ms since 1970 */
  now: () => number;
}

/** `POST /v1/executions`, `POST /v1/requests`, `PUT /v1/requests/:id/begin`. */
export function addSendRoutes(app: FastifyInstance, deps: SendRouteDeps): void {
  app.post('/v1/executions', { config: { scope: 'executions', parameters: ['sample'] } }, async (request, reply) => {
    await receive(request, reply, deps, deps.executions, { sample: readSample(request) });
  });
  app.post('/v1/requests', { config: { scope: 'requests' } }, async (request, reply) => {
    await receive(request, reply, deps, deps.requests);
  });
  app.put<{ Params: { id: string } }>(
    '/v1/requests/:id/begin',
    { config: { scope: 'requests' } },
    async (request, reply) => {
      const { id } = request.params;
      if (!isUuid(id)) throw new Refusal('invalid-request', 'The id in the address is no UUID of versions 1 to 8');
      await receive(request, reply, deps, deps.beginning(id), { needsRecord: true });
    },
  );
}

/** How one route differs from the others. */
export interface Receiving {
  /** @default false */
  sample?: boolean;
  /** refuses a body without a record. @default false */
  needsRecord?: boolean;
  /** @default those of records */
  formats?: BodyFormats;
  /** @default that of JSON */
  split?: IncomingBody['split'];
  /** tells what became of the records, when all that are accepted are in Redis. @default 202 with each rejection, or a Refusal */
  answer?(tally: BodyTally): void;
}

/** Takes the records of a body, and answers. @throws Refusal when the body as a whole is not taken */
export async function receive(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: SendRouteDeps,
  intake: Intake,
  { sample = false, needsRecord = false, formats, split, answer }: Receiving = {},
): Promise<void> {
  const { limits, budget, metrics, now } = deps;
  const { headers } = request.raw;
  const sender = senderOf(request);
  const name = sender?.name ?? 'anonymous';
  const { format, encoding } = readBodyHeaders(headers, limits.bodyBytes, formats);
  const key = readIdempotencyKey(headers);
  const tally = new BodyTally();
  const quota = sender === null ? null : (deps.senders?.quotaOf(sender) ?? null);
  let isConfirmed = false;
  const body = deps.bodies.begin();
  try {
    await intake.delivery.untilRoom();
    const seed = key === null ? null : idSeed(intake.kind, sender?.name ?? '', key);
    const arrivedMs = seed === null ? now() : await firstArrivalMs(deps.redis, deps.namespace, seed, now());
    writeContinue(request.raw, reply.raw);
    const whenIdle = { idleMs: deps.bodyIdleMs, onIdle: ({ code }: Refusal) => metrics.refused(code) };
    await readUnlessIdle(request, reply, whenIdle, () =>
      receiveBody({
        ...{ stream: request.raw, format, encoding, intake, tally, limits, budget, split },
        context: { sender, notes: sender === null ? [] : [`sender: ${sender.name}`], arrivedMs, idSeed: seed, sample },
        onBytes(bytes) {
          metrics.read(name, intake.kind, bytes);
          quota?.tookBytes(bytes);
        },
      }),
    );
    await intake.delivery.untilStored(tally);
    isConfirmed = true;
    if (answer !== undefined) {
      answer(tally);
      return;
    }
    if (needsRecord && tally.records === 0)
      throw new Refusal('invalid-request', 'The body has no record; send the one of this address');
    refuseWhereNothingIsTaken(tally);
    sendAnswer(request, reply, { status: 202, body: outcomeOf(tally) });
  } finally {
    body.end();
    quota?.tookRecords(tally.records);
    metrics.counted(name, intake.kind, tally, isConfirmed);
  }
}

function readSample({ query }: FastifyRequest): boolean {
  const { sample } = query as { sample?: unknown };
  if (sample === undefined || sample === 'false') return false;
  if (sample === 'true') return true;
  throw new Refusal('invalid-request', 'sample: accepted: true or false');
}

function outcomeOf(tally: BodyTally) {
  const { accepted, sampledOut } = tally;
  return { accepted, ...(sampledOut > 0 ? { sampledOut } : {}), ...rejectedOf(tally) };
}

function rejectedOf({ rejected, rejectedCount }: BodyTally) {
  const more = rejectedCount - rejected.length;
  return { rejected, ...(more > 0 ? { rejectedMore: more } : {}) };
}

/** @throws Refusal when every record is rejected, with the status of what is wrong with them all */
function refuseWhereNothingIsTaken(tally: BodyTally): void {
  const { records, rejectedCount, faults } = tally;
  if (records === 0 || rejectedCount < records) return;
  const code = faults.size === records ? 'too-large' : faults.access === records ? 'forbidden' : 'all-rejected';
  throw new Refusal(code, 'No record of the body is accepted; see rejected', { rejected: rejectedOf(tally) });
}
