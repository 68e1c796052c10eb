import { createHash } from 'node:crypto';
import { type ExecutionSink, withExecution } from '../../producers/index.ts';
import type { ScoringEvent } from './events.ts';
import { score } from './score.ts';
import type { Strategy } from './strategies.ts';

/**
 * A small scoring service: evaluates events against strategies and reports every run to the observer, as a real service
 * would. A run that fails is the customer's problem, not the service's, so the service continues.
 *
 * @returns whether the run ended ok
 */
export function createScoringService(options: {
  observer: ExecutionSink;
  strategies: readonly Strategy[];
  realms: readonly string[];
}) {
  const { observer, realms } = options;
  const strategies = new Map(
    options.strategies.map((strategy) => [strategy.id, { strategy, astHash: hashOf(strategy) }]),
  );

  return (event: ScoringEvent): boolean => {
    const known = strategies.get(event.strategyId);
    if (known === undefined) throw new Error(`no strategy ${event.strategyId}`);
    const { strategy, astHash } = known;
    const isExtension = strategy.extension !== undefined;
    const subject = {
      strategyId: strategy.id,
      strategyVersion: strategy.version,
      strategyType: isExtension ? 'DSL_EXTEND' : 'DSL_FULL',
      parentStrategyId: isExtension ? 'default' : null,
      realmId: realms[event.externalUserId.length % realms.length],
      externalGameId: event.externalGameId,
      externalTaskId: event.externalTaskId,
      externalUserId: event.externalUserId,
      input: event.data,
      astHash,
    };
    try {
      withExecution(observer, subject, (run) => score(strategy, event.data, run));
      return true;
    } catch {
      return false;
    }
  };
}

function hashOf(strategy: Strategy): string {
  return createHash('sha256').update(JSON.stringify(strategy)).digest('hex').slice(0, 16);
}
