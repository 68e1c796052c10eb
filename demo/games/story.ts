import type { GameEvent, GameState } from './game-events.ts';

/** An event of a game that has no time yet: its order, and the delay before it. */
export interface StoryStep extends Pick<GameEvent, 'type' | 'containerId' | 'details' | 'leaves'> {
  /** the share of the story's time that passes before it */
  gap: number;
  /** how many steps before it was written it was observed */
  stepsLate: number;
}

const images = ['galaxy/engine:1.8.2', 'galaxy/engine:1.9.0', 'galaxy/engine:2.0.0-rc1'];

/**
 * Generates the story of one game. Its container starts, has problems, and ends at some point; most games get another one. A
 * container may be seen unhealthy repeatedly; its probe fails, which means three failures in a row, and recovers; it exits, runs
 * out of memory or disappears. After a restart, late reports of the old container may still arrive, which say nothing about the
 * game any more. Some restarts are so quick that no probe had failed: then none recovers, and the game stays unreachable although
 * it is healthy. Each step says how it leaves the record, whose game is running at first.
 *
 * @param random gives 0 <= n < 1
 */
export function generateStory(random: () => number): StoryStep[] {
  const steps: StoryStep[] = [];
  let state: GameState = { status: 'running', health: '' };
  let containerId = '';
  const happens = (share: number): boolean => random() < share;
  const upTo = (most: number): number => 1 + Math.floor(most * random());
  const image = images[Math.floor(images.length * random())] ?? '';

  const tell = (type: string, details: Record<string, unknown>, leaves: Partial<GameState>): void => {
    state = { ...state, ...leaves };
    steps.push({ type, containerId, details, leaves: state, gap: 0.2 + random(), stepsLate: 0 });
  };
  const start = (): void => {
    containerId = drawContainerId(random);
    tell('container_started', { image_ref: image }, { health: 'healthy' });
  };
  const isUnhealthy = (restarts: number): void =>
    tell(
      'inspect_unhealthy',
      { restart_count: restarts, state: 'running', health: 'unhealthy' },
      { health: 'inspect_unhealthy' },
    );
  const failProbe = (): void =>
    tell(
      'probe_failed',
      { consecutive_failures: 3, last_status: happens(0.5) ? 503 : 0, last_error: 'timeout' },
      { health: 'probe_failed' },
    );
  const recover = (): void =>
    tell('probe_recovered', { prior_failure_count: 2 + upTo(6) }, { status: 'running', health: 'healthy' });
  const lose = (): void => {
    const way = random();
    const status = 'engine_unreachable';
    if (way < 0.6) tell('container_exited', { exit_code: 137, oom: false }, { status, health: 'exited' });
    else if (way < 0.8) tell('container_oom', { exit_code: 137 }, { status, health: 'oom' });
    else tell('container_disappeared', {}, { status, health: 'disappeared' });
  };
  /** About the previous container: observed before the restart, or discovered only now. */
  const tellLate = (ofContainerId: string): void => {
    const isSeenBefore = happens(0.5);
    tell(
      isSeenBefore ? 'container_exited' : 'container_disappeared',
      isSeenBefore ? { exit_code: 137, oom: false } : {},
      {},
    );
    const late = steps.at(-1);
    if (late === undefined) return;
    late.containerId = ofContainerId;
    late.stepsLate = isSeenBefore ? 2 : 0;
  };
  const restart = (): void => {
    const oldContainerId = containerId;
    const hasFailed = happens(0.5);
    if (hasFailed) failProbe();
    start();
    if (happens(0.4)) tellLate(oldContainerId);
    if (!hasFailed && happens(0.8)) failProbe();
    // A manager reports that a probe has recovered only after it has reported its failure.
    if (state.health === 'probe_failed' || hasFailed) recover();
  };

  start();
  for (let troubles = Math.floor(4 * random()); troubles > 0; troubles -= 1) {
    const trouble = random();
    if (trouble < 0.35) {
      for (let seen = upTo(4); seen > 0; seen -= 1) isUnhealthy(seen);
    } else if (trouble < 0.65) {
      failProbe();
      if (happens(0.2)) isUnhealthy(0);
      if (happens(0.9)) recover();
    } else {
      lose();
      if (happens(0.2)) return steps;
      restart();
    }
  }
  return steps;
}

/** Twelve hexadecimal digits, like the short ids of containers. */
function drawContainerId(random: () => number): string {
  const sixDigits = (): string =>
    Math.floor(16 ** 6 * random())
      .toString(16)
      .padStart(6, '0');
  return sixDigits() + sixDigits();
}
