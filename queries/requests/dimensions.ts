/** What figures of requests may be grouped by. */
export const requestDimensions = ['model', 'provider', 'api', 'createdBy', 'endpoint', 'statusClass', 'serviceTier'] as const;
export type RequestDimension = (typeof requestDimensions)[number];

/** Which groups come first: those with the most of it. */
export const requestOrders = ['requests', 'failures', 'tokens', 'cost'] as const;
export type RequestOrder = (typeof requestOrders)[number];
