import type { HealthEventType } from '../../shared/contracts/health-event.ts';

/** Events of which both modes make the same, one after the other. */

/** What loses a game its engine, and the health that it leaves. */
export const losses: [HealthEventType, string][] = [
  ['container_exited', 'exited'],
  ['container_oom', 'oom'],
  ['container_disappeared', 'disappeared'],
];

/** What changes the health alone. */
export const observations: [HealthEventType, string][] = [
  ['container_started', 'healthy'],
  ['probe_failed', 'probe_failed'],
  ['inspect_unhealthy', 'inspect_unhealthy'],
];

/** Games as they are before the story. */
export const storyStatuses = {
  a: 'running',
  b: 'generation_in_progress',
  c: 'engine_unreachable',
  d: 'stopped',
} as const;

/** What happens, in order, and the snapshot that the lobby gets; null: none. There is no game `nobody`. */
export const story: [game: string, type: string, snapshot: [status: string, health: string] | null][] = [
  ['a', 'container_started', ['running', 'healthy']],
  ['b', 'container_started', ['generation_in_progress', 'healthy']],
  ['c', 'container_started', ['engine_unreachable', 'healthy']],
  ['a', 'probe_failed', ['running', 'probe_failed']],
  ['a', 'probe_failed', null],
  ['b', 'container_oom', ['generation_in_progress', 'oom']],
  ['nobody', 'container_oom', null],
  ['c', 'probe_recovered', ['running', 'healthy']],
  ['c', 'probe_recovered', null],
  ['a', 'container_paused', null],
  ['a', 'container_exited', ['engine_unreachable', 'exited']],
  ['a', 'container_exited', null],
  ['a', 'container_disappeared', ['engine_unreachable', 'disappeared']],
  ['d', 'container_exited', ['stopped', 'exited']],
  ['c', 'inspect_unhealthy', ['running', 'inspect_unhealthy']],
  ['a', 'container_started', ['engine_unreachable', 'healthy']],
  ['a', 'probe_recovered', ['running', 'healthy']],
  ['b', 'probe_recovered', ['generation_in_progress', 'healthy']],
  ['c', 'container_oom', ['engine_unreachable', 'oom']],
];

/** The records after it: game, status, health. */
export const recordsAfterStory = [
  ['a', 'running', 'healthy'],
  ['b', 'generation_in_progress', 'healthy'],
  ['c', 'engine_unreachable', 'oom'],
  ['d', 'stopped', 'exited'],
];
