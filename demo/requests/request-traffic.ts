import type { Config } from '../../shared/platform/config/config.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { type Accounted, addUp } from '../add-up.ts';
import type { Timeline } from '../executions/demo-events.ts';
import { inTime } from '../pacing.ts';
import { createRandom } from '../random.ts';
import type { GatewayRoute } from '../senders/gateway-route.ts';
import { closeTimeoutMs, type Traffic } from '../traffic.ts';
import { createGateway } from './gateway.ts';
import { createRequestInspector, readPrices } from './inspect-requests.ts';
import { type RequestAccounts, reconcileRequests } from './reconcile-requests.ts';
import { reconcileUsage, type UsageAccounts } from './reconcile-usage.ts';
import type { RequestEvent } from './request-events.ts';
import { createGatewaySender, createSdkSender, type RequestSender } from './request-sender.ts';

/** The accounts of requests: of their records, and of what they used and cost. */
export type AllRequestAccounts = Accounted<RequestAccounts> & { usage: UsageAccounts };

/** A model gateway with a sender and creators of its own. */
interface Service {
  sender: RequestSender;
  models: ReturnType<typeof createGateway>;
  inspector: ReturnType<typeof createRequestInspector>;
  rows: number | null;
}

/**
 * Requests to models, through model gateways: through one that sends by the SDK, and in turn one that sends through Sluice's
 * gateway, if there is one.
 */
export function createRequestTraffic(options: {
  config: Config;
  database: Database;
  redis: Redis;
  timeline: Timeline<RequestEvent>;
  creators: readonly string[];
  producer: string;
  /** null: everything goes by the SDK */
  gateway: { route: GatewayRoute; creators: readonly string[] } | null;
  seed: number;
  /** stops the model gateways */
  signal: AbortSignal;
}): Traffic<AllRequestAccounts> {
  const { config, timeline, gateway, seed, signal } = options;
  const open = (sender: RequestSender, creators: readonly string[], producer: string | null): Service => ({
    sender,
    models: createGateway({ sender, creators, random: createRandom(seed), signal }),
    inspector: createRequestInspector({ ...options, namespace: config.namespace, creators, producer }),
    rows: null,
  });
  const services = [open(createSdkSender(config, options.producer), options.creators, options.producer)];
  if (gateway !== null) services.push(open(createGatewaySender(gateway.route), gateway.creators, null));

  const sumOf = (read: (service: Service) => number): number =>
    services.reduce((sum, service) => sum + read(service), 0);
  return {
    total: timeline.total,
    done: () => sumOf(({ models }) => models.arrived()),
    describe: () =>
      services.some(({ rows }) => rows === null)
        ? `${sumOf(({ models, sender }) => models.accounts().reported - sender.buffered())} queued`
        : `${sumOf(({ rows }) => rows ?? 0)} rows`,
    async produce() {
      let turn = 0;
      // The sender itself slows the gateway down: while its buffer is full, handling a request takes longer.
      for await (const event of inTime(timeline.events, { isOverloaded: () => false, signal })) {
        await (services[turn] as Service).models.handle(event);
        turn = (turn + 1) % services.length;
      }
      await Promise.all(services.map(({ models }) => models.settled()));
    },
    async flush() {
      await Promise.all(services.map(({ sender }) => sender.close(closeTimeoutMs)));
    },
    async isSettled() {
      const openJobs = await Promise.all(services.map(({ inspector }) => inspector.openJobs()));
      for (const service of services) service.rows = await service.inspector.countRows();
      return openJobs.every((jobs) => jobs === 0);
    },
    async reconcile() {
      const each = services.map(async ({ sender, models, inspector }) => ({
        sender: sender.name,
        accounts: reconcileRequests({ ...models.accounts(), ...sender.counts() }, await inspector.inspect()),
      }));
      const accounts = addUp(await Promise.all(each));
      const used = new Map(services.flatMap(({ models }) => [...models.used]));
      const found = new Map(
        (await Promise.all(services.map(({ inspector }) => inspector.readUsage()))).flatMap((map) => [...map]),
      );
      const usage = reconcileUsage(used, found, await readPrices(options.database));
      return { ...accounts, usage, reconciled: accounts.reconciled && usage.differing === 0 };
    },
    async close() {
      await Promise.all(services.map(({ sender }) => sender.close(0)));
      await Promise.all(services.map(({ inspector }) => inspector.close()));
    },
  };
}
