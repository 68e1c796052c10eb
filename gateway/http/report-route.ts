import type { FastifyInstance, FastifyRequest } from 'fastify';
import { senderOf } from '../access/guard.ts';
import { type Scope, type Sender, scopes } from '../access/sender.ts';
import { decodedBody, readerBytes } from '../body/decoded-body.ts';
import type { Delivery } from '../delivery/delivery.ts';
import { readReport } from '../intake/report-intake.ts';
import { sendAnswer } from './answer.ts';
import { type BodyFormats, readBodyHeaders } from './body-headers.ts';
import { writeContinue } from './expect-continue.ts';
import { readUnlessIdle } from './idle-body.ts';
import { Refusal } from './refusal.ts';
import type { SendRouteDeps } from './send-routes.ts';

const formats: BodyFormats = new Map([['application/json', 'json']]);

/** Twice what a client writes. */
const maxBytes = 131_072;

/** `POST /v1/reports`: what a client has counted goes to the ledger, which adds it to what the gateway counts itself. */
export function addReportRoute(
  app: FastifyInstance,
  deps: Pick<SendRouteDeps, 'budget' | 'metrics' | 'senders' | 'bodyIdleMs'>,
  deliveries: Record<Scope, Pick<Delivery, 'report'>>,
): void {
  const { budget, metrics, senders } = deps;
  app.post('/v1/reports', { config: { scope: 'reports', parameters: ['records'] } }, async (request, reply) => {
    const sender = senderOf(request);
    const records = readRecords(request, sender);
    const { encoding } = readBodyHeaders(request.raw.headers, maxBytes, formats);
    const holding = budget.open();
    const chunks: Buffer[] = [];
    try {
      if (!holding.set(readerBytes[encoding] + maxBytes))
        throw new Refusal('buffer-full', 'The gateway reads as many bodies as it has memory for; send it again later');
      writeContinue(request.raw, reply.raw);
      const whenIdle = { idleMs: deps.bodyIdleMs, onIdle: ({ code }: Refusal) => metrics.refused(code) };
      await readUnlessIdle(request, reply, whenIdle, async () => {
        for await (const chunk of decodedBody(request.raw, encoding, maxBytes)) chunks.push(chunk);
      });
      const body = Buffer.concat(chunks);
      if (sender !== null) senders?.quotaOf(sender).tookBytes(body.length);
      await deliveries[records].report(readReport(body, sender));
    } finally {
      holding.release();
    }
    sendAnswer(request, reply, { status: 202, body: { accepted: 1, rejected: [] } });
  });
}

/** The kind of records that the report is about. @throws Refusal when it is none that the sender may send */
function readRecords({ query }: FastifyRequest, sender: Sender | null): Scope {
  const { records } = query as { records?: unknown };
  const scope = scopes.find((known) => known === records);
  if (scope === undefined) throw new Refusal('invalid-request', `records: accepted: ${scopes.join(' or ')}`);
  if (sender !== null && !sender.scopes.includes(scope))
    throw new Refusal('forbidden', `The token may not report ${scope}, only ${sender.scopes.join(', ')}`);
  return scope;
}
