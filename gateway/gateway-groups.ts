import type { Config } from '../shared/platform/config/config.ts';

/** The groups of the configuration that the gateway reads: its own, and those of producers. */
export const gatewayGroups = ['namespace', 'logLevel', 'redis', 'producer', 'requests', 'redact', 'gateway'] as const;
export type GatewayConfig = Pick<Config, (typeof gatewayGroups)[number]>;
