import { Prisma } from '../../shared/platform/postgres/database.ts';

/** What figures of requests may be grouped by. */
export const requestDimensions = [
  'model',
  'provider',
  'api',
  'createdBy',
  'endpoint',
  'statusClass',
  'serviceTier',
] as const;
export type RequestDimension = (typeof requestDimensions)[number];

/** Which groups come first: those with the most of it. */
export const requestOrders = ['requests', 'failures', 'tokens', 'cost'] as const;
export type RequestOrder = (typeof requestOrders)[number];

/** The endpoint is in the row of the question, which is not read unless somebody asks for endpoints. */
export const endpointOfRequest = Prisma.raw(
  '(select asked.path from sluice.request_template as asked where asked.id = template_id)',
);

/** The first digit of the status; null without a response, and for a status that HTTP does not know. */
export const statusDigit = Prisma.raw('case when response_status between 100 and 599 then response_status / 100 end');

const keys: Record<RequestDimension, Prisma.Sql> = {
  model: Prisma.raw('model'),
  provider: Prisma.raw('provider'),
  api: Prisma.raw('api'),
  createdBy: Prisma.raw('created_by'),
  endpoint: endpointOfRequest,
  statusClass: Prisma.sql`${statusDigit}::text || 'xx'`,
  serviceTier: Prisma.raw('service_tier'),
};

/** What a request of the table `request` belongs to; null where it has no such thing. */
export function keyOf(dimension: RequestDimension): Prisma.Sql {
  return keys[dimension];
}
