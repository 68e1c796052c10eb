import type { Config } from '../../shared/platform/config/config.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { type Accounted, addUp } from '../add-up.ts';
import { inTime } from '../pacing.ts';
import type { GatewayRoute } from '../senders/gateway-route.ts';
import { closeTimeoutMs, type Traffic } from '../traffic.ts';
import type { Timeline } from './demo-events.ts';
import type { ScoringEvent } from './events.ts';
import { createGatewaySender, createSdkSender, type ExecutionSender } from './execution-sender.ts';
import { createInspector } from './inspect-executions.ts';
import { type Accounts, type Found, reconcile } from './reconcile-executions.ts';
import { createScoringService } from './scoring-service.ts';
import { demoStrategies } from './strategies.ts';

/** A scoring service with a sender and realms of its own. */
interface Service {
  sender: ExecutionSender;
  score(event: ScoringEvent): boolean;
  inspector: ReturnType<typeof createInspector>;
  failures: number;
  found: Found | null;
}

/** Runs of scoring services: of one that sends by the SDK, and in turn of one that sends through the gateway, if there is one. */
export function createExecutionTraffic(options: {
  config: Config;
  database: Database;
  redis: Redis;
  timeline: Timeline<ScoringEvent>;
  sampleRate: number;
  realms: readonly string[];
  producer: string;
  /** null: everything goes by the SDK */
  gateway: { route: GatewayRoute; realms: readonly string[] } | null;
  seed: number;
  /** stops the services */
  signal: AbortSignal;
}): Traffic<Accounted<Accounts>> {
  const { config, timeline, sampleRate, gateway, seed, signal } = options;
  const { maxRecords } = config.producer.buffer;
  const open = (sender: ExecutionSender, realms: readonly string[], producer: string | null): Service => ({
    sender,
    score: createScoringService({ observer: sender, strategies: demoStrategies, realms }),
    inspector: createInspector({ ...options, namespace: config.namespace, realms, producer }),
    failures: 0,
    found: null,
  });
  const services = [open(createSdkSender(config, sampleRate, options.producer), options.realms, options.producer)];
  if (gateway !== null)
    services.push(
      open(
        createGatewaySender(gateway.route, { sampleRate, traceLimit: config.producer.traceLimit, seed }),
        gateway.realms,
        null,
      ),
    );

  const sumOf = (read: (service: Service) => number): number =>
    services.reduce((sum, service) => sum + read(service), 0);
  const inspect = async (service: Service): Promise<Found> => {
    service.found = await service.inspector.inspect();
    return service.found;
  };
  return {
    total: timeline.total,
    done: () => sumOf(({ sender }) => sender.counts().recorded),
    describe() {
      if (services.every(({ found }) => found !== null))
        return `${sumOf(({ found }) => found?.stored ?? 0)} stored, ${sumOf(({ found }) => found?.inFlight ?? 0)} in flight`;
      const sampledOut = sumOf(({ sender }) => sender.counts().sampledOut);
      const kept = sumOf(({ sender }) => keptOf(sender));
      const queued = sumOf(({ sender }) => keptOf(sender) - sender.buffered());
      return `${kept} kept, ${sampledOut} sampled out, ${queued} queued`;
    },
    async produce() {
      const isOverloaded = () => services.some(({ sender }) => sender.buffered() > maxRecords / 2);
      let turn = 0;
      for await (const event of inTime(timeline.events, { isOverloaded, signal })) {
        const service = services[turn] as Service;
        if (!service.score(event)) service.failures += 1;
        turn = (turn + 1) % services.length;
      }
    },
    async flush() {
      await Promise.all(services.map(({ sender }) => sender.close(closeTimeoutMs)));
    },
    async isSettled() {
      const found = await Promise.all(services.map(inspect));
      return found.every(({ inFlight }) => inFlight === 0);
    },
    async reconcile() {
      const each = services.map(async (service) => ({
        sender: service.sender.name,
        accounts: reconcile(service.sender.counts(), service.failures, service.found ?? (await inspect(service))),
      }));
      return addUp(await Promise.all(each));
    },
    async close() {
      await Promise.all(services.map(({ sender }) => sender.close(0)));
      await Promise.all(services.map(({ inspector }) => inspector.close()));
    },
  };
}

/** Records that are stored unless something happens to them. */
function keptOf(sender: ExecutionSender): number {
  const { recorded, sampledOut, disabled, dropped, refused, inDoubt } = sender.counts();
  return recorded - sampledOut - disabled - dropped - refused - inDoubt;
}
