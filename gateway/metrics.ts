import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { refusalStatuses } from '../shared/contracts/gateway-answer.ts';
import { readGaugesOf } from '../shared/platform/read-gauges.ts';
import type { RefusalCode } from './http/refusal.ts';
import type { BodyTally } from './intake/body-tally.ts';

/** Read at each scrape. */
export interface GatewayGauges {
  connections(): Promise<number>;
  bodies(): number;
  unreadBytes(): number;
  isRedisAway(): boolean;
  /** ms since 1970; null: there is none, as with plain HTTP */
  certificateEndsAtMs: (() => number | null) | null;
}

/** The gateway's own metrics. A sender without a token is `anonymous`. */
export function createGatewayMetrics(registry: Registry, gauges: GatewayGauges) {
  const registers = [registry];
  const seconds = new Histogram({
    name: 'sluice_gateway_request_seconds',
    help: 'Duration of requests to the gateway, by route and status code, from the headers to the answer',
    labelNames: ['route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const records = new Counter({
    name: 'sluice_gateway_records_total',
    help: 'Records by sender and outcome: accepted (in Redis, and answered with 202), rejected, sampled_out, ignored (spans that are no requests to models), or unconfirmed (put into the buffer, and the body was refused)',
    labelNames: ['sender', 'kind', 'outcome'],
    registers,
  });
  const bytes = new Counter({
    name: 'sluice_gateway_body_bytes_total',
    help: 'Bytes of bodies that were read, decompressed, by sender',
    labelNames: ['sender', 'kind'],
    registers,
  });
  const refusals = new Counter({
    name: 'sluice_gateway_refusals_total',
    help: 'Requests that were refused as a whole, by the code in their answer',
    labelNames: ['code'],
    registers,
  });
  const failedReloads = new Gauge({
    name: 'sluice_gateway_reload_failed',
    help: '1 while files that have changed cannot be used, and the previous ones stay in use: tokens or tls',
    labelNames: ['files'],
    registers,
  });
  const gauge = readGaugesOf(registry);
  // There from the start: the first refusal is an increase, too.
  for (const code of Object.keys(refusalStatuses)) refusals.inc({ code }, 0);
  for (const files of ['tokens', 'tls']) failedReloads.set({ files }, 0);
  gauge('sluice_gateway_connections', 'Open connections', gauges.connections);
  gauge('sluice_gateway_bodies', 'Bodies that are being read, or wait until Redis has their records', gauges.bodies);
  gauge('sluice_gateway_unread_bytes', 'Memory set aside for bodies that are being read', gauges.unreadBytes);
  gauge('sluice_gateway_redis_away', '1 while Redis does not take records, else 0', gauges.isRedisAway);
  const { certificateEndsAtMs } = gauges;
  if (certificateEndsAtMs !== null)
    gauge(
      'sluice_gateway_certificate_expiry_timestamp_seconds',
      'When the certificate expires that is shown to senders; only with TLS',
      () => (certificateEndsAtMs() ?? Number.NaN) / 1_000,
    );

  return {
    /** Times all requests. Labelled by route, never by address: there is no limit to the number of addresses. */
    observe(app: FastifyInstance): void {
      app.addHook('onResponse', async ({ routeOptions }, reply) => {
        const route = routeOptions.url ?? 'none';
        seconds.observe({ route, status: String(reply.raw.statusCode) }, reply.elapsedTime / 1_000);
      });
    },
    refused(code: RefusalCode): void {
      refusals.inc({ code });
    },
    reloaded(files: string, isUsable: boolean): void {
      failedReloads.set({ files }, Number(!isUsable));
    },
    read(sender: string, kind: string, count: number): void {
      bytes.inc({ sender, kind }, count);
    },
    /** @param isConfirmed the sender gets an answer that says what became of each record */
    counted(sender: string, kind: string, tally: BodyTally, isConfirmed: boolean): void {
      const outcomes = isConfirmed
        ? {
            accepted: tally.accepted,
            rejected: tally.rejectedCount,
            sampled_out: tally.sampledOut,
            ignored: tally.ignored,
          }
        : { unconfirmed: tally.accepted + tally.pending };
      for (const [outcome, count] of Object.entries(outcomes))
        if (count > 0) records.inc({ sender, kind, outcome }, count);
    },
  };
}

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;
