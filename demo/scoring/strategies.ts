import type { Strategy } from './ast.ts';
import { gridCoverage, routeSmoothing, sponsoredArea, timeDecay } from './sensing-strategies.ts';
import { averagePerAttempt, levelGate, streakBonus, tieredRewards } from './tutoring-strategies.ts';

/**
 * The strategies of the demo's games, most used first: events are drawn with a preference for the front of the list.
 * Each can fail on some events in its own way; together about one run in twenty does.
 */
export const demoStrategies: readonly Strategy[] = [
  tieredRewards,
  streakBonus,
  timeDecay,
  averagePerAttempt,
  levelGate,
  sponsoredArea,
  gridCoverage,
  routeSmoothing,
];
