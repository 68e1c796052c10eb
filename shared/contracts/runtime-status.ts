/** The status of a game's runtime, as in its record. */
export const runtimeStatuses = [
  'starting',
  'running',
  'generation_in_progress',
  'generation_failed',
  'stopped',
  'engine_unreachable',
  'finished',
] as const;
export type RuntimeStatus = (typeof runtimeStatuses)[number];

/** The allowed transitions. `finished` and `stopped` are final. */
const transitions: Readonly<Record<RuntimeStatus, readonly RuntimeStatus[]>> = {
  starting: ['running'],
  running: ['generation_in_progress', 'engine_unreachable', 'stopped'],
  generation_in_progress: ['running', 'generation_failed', 'finished', 'stopped'],
  generation_failed: ['generation_in_progress', 'stopped'],
  engine_unreachable: ['running', 'stopped'],
  stopped: [],
  finished: [],
};

export function isAllowedTransition(from: RuntimeStatus, to: RuntimeStatus): boolean {
  return transitions[from].includes(to);
}
