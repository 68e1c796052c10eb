import { parseDatabaseUrl } from '../postgres/database-url.ts';
import type { Rule } from './config-groups.ts';
import { isLoopback } from './loopback.ts';
import { producerRules } from './producer-config.ts';
import type { Config, ConfigGroup } from './variables.ts';

function rule<G extends ConfigGroup>(
  groups: readonly G[],
  problem: (config: Pick<Config, G>) => string | false,
): Rule<Config> {
  return { groups, problem };
}

/** What holds several variables together. */
export const rules: readonly Rule<Config>[] = [
  rule(
    ['console'],
    ({ console }) =>
      tokensOf(console).length === 0 &&
      !isLoopback(console.host) &&
      `SLUICE_CONSOLE_HOST: ${JSON.stringify(console.host)} is reachable from other machines; also set SLUICE_CONSOLE_READ_TOKEN or SLUICE_CONSOLE_OPERATOR_TOKEN, or use 127.0.0.1`,
  ),
  rule(
    ['console'],
    ({ console }) =>
      tokensOf(console).length === 0 &&
      (console.origin !== null || console.trustedProxies.length > 0) &&
      'SLUICE_CONSOLE_ORIGIN, SLUICE_CONSOLE_TRUSTED_PROXIES: without a token the console refuses what comes through a proxy; also set SLUICE_CONSOLE_READ_TOKEN or SLUICE_CONSOLE_OPERATOR_TOKEN',
  ),
  rule(
    ['console'],
    ({ console }) =>
      new Set(tokensOf(console)).size < tokensOf(console).length &&
      'SLUICE_CONSOLE_READ_TOKEN, SLUICE_CONSOLE_OPERATOR_TOKEN, SLUICE_CONSOLE_REALM_TOKENS: two tokens are equal; tokens must be different, because each one determines what its bearer may do',
  ),
  rule(
    ['gateway'],
    ({ gateway }) =>
      gateway.tokensFile === null &&
      !isLoopback(gateway.host) &&
      `SLUICE_GATEWAY_HOST: ${JSON.stringify(gateway.host)} is reachable from other machines; also set SLUICE_GATEWAY_TOKENS_FILE, or use 127.0.0.1`,
  ),
  rule(
    ['gateway'],
    ({ gateway }) =>
      (gateway.tlsCertFile === null) !== (gateway.tlsKeyFile === null) &&
      'SLUICE_GATEWAY_TLS_CERT_FILE, SLUICE_GATEWAY_TLS_KEY_FILE: one is set without the other; set both, or neither for plain HTTP',
  ),
  rule(
    ['gateway'],
    ({ gateway }) =>
      gateway.tlsClientCaFile !== null &&
      gateway.tlsCertFile === null &&
      'SLUICE_GATEWAY_TLS_CLIENT_CA_FILE: senders show certificates over TLS only; also set SLUICE_GATEWAY_TLS_CERT_FILE and SLUICE_GATEWAY_TLS_KEY_FILE',
  ),
  rule(
    ['worker'],
    ({ worker }) =>
      worker.metricsToken === null &&
      !isLoopback(worker.host) &&
      `SLUICE_WORKER_HOST: ${JSON.stringify(worker.host)} is reachable from other machines; also set SLUICE_METRICS_TOKEN, or use 127.0.0.1`,
  ),
  rule(
    ['database', 'migrator'],
    ({ database, migrator }) =>
      database.url !== null &&
      migrator.url !== null &&
      parseDatabaseUrl(database.url).schema !== parseDatabaseUrl(migrator.url).schema &&
      'SLUICE_MIGRATE_DATABASE_URL: its schema differs from that of DATABASE_URL; give both the same ?schema=',
  ),
  rule(
    ['batch', 'database'],
    ({ batch, database }) =>
      batch.maxInFlight > database.poolSize &&
      `SLUICE_BATCH_MAX_IN_FLIGHT: ${batch.maxInFlight} concurrent statements need as many connections; raise SLUICE_DATABASE_POOL_SIZE (${database.poolSize})`,
  ),
  rule(
    ['batch', 'worker'],
    ({ batch, worker }) =>
      batch.maxWaitMs * 2 > worker.lockDurationMs &&
      `SLUICE_BATCH_MAX_WAIT_MS: ${batch.maxWaitMs} must be at most half of SLUICE_LOCK_DURATION_MS (${worker.lockDurationMs}); otherwise jobs stall while they wait`,
  ),
  rule(
    ['database', 'worker'],
    ({ database, worker }) =>
      worker.stuckAfterMs < database.statementTimeoutMs * 2 &&
      `SLUICE_STUCK_AFTER_MS: ${worker.stuckAfterMs} must be at least twice SLUICE_DATABASE_STATEMENT_TIMEOUT_MS (${database.statementTimeoutMs}); otherwise a slow statement looks like a stuck worker`,
  ),
  rule(
    ['retry'],
    ({ retry }) =>
      retry.baseMs > retry.maxMs &&
      `SLUICE_RETRY_BASE_MS: ${retry.baseMs} must not exceed SLUICE_RETRY_MAX_MS (${retry.maxMs})`,
  ),
  ...producerRules,
];

function tokensOf({ readToken, operatorToken, realmTokens }: Config['console']): string[] {
  return [readToken, operatorToken, ...realmTokens.values()].filter((token) => token !== null);
}
