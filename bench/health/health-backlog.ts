import { createRandom } from '../../demo/random.ts';
import type { HealthEventType } from '../../shared/contracts/health-event.ts';

/** The state of a game, by its record and by what the lobby is told. */
export interface GameState {
  status: string;
  health: string;
}

/** Events in the order of the stream, and their expected result. */
export interface HealthBacklog {
  gameIds: readonly string[];
  /** fields and values of each entry */
  entries: readonly string[][];
  /** for each game: its final state, and the number of its events */
  ends: ReadonlyMap<string, GameState & { events: number }>;
  /** the game whose only event is the last of all; the lobby is informed of it */
  lastGameId: string;
}

interface Step extends GameState {
  type: HealthEventType;
}

const running = 'running';
const unreachable = 'engine_unreachable';

/** What happens to a game, repeatedly, each time with another container. Nothing is late, nothing is repeated. */
const life: readonly Step[] = [
  { type: 'container_started', status: running, health: 'healthy' },
  { type: 'inspect_unhealthy', status: running, health: 'inspect_unhealthy' },
  { type: 'inspect_unhealthy', status: running, health: 'inspect_unhealthy' },
  { type: 'probe_failed', status: running, health: 'probe_failed' },
  { type: 'probe_recovered', status: running, health: 'healthy' },
  { type: 'container_exited', status: unreachable, health: 'exited' },
  { type: 'probe_failed', status: unreachable, health: 'probe_failed' },
  { type: 'container_started', status: unreachable, health: 'healthy' },
  { type: 'probe_failed', status: unreachable, health: 'probe_failed' },
  { type: 'probe_recovered', status: running, health: 'healthy' },
];
const lastStep: Step = { type: 'container_exited', status: unreachable, health: 'exited' };

/** With 30,000 events there are 1,000 games, and proportionally fewer with fewer, so that the mix of events is the same. */
const eventsPerGame = 30;

/**
 * Generates this many events of a mix of games: the game of each event is drawn, and the event is the next one of that game.
 *
 * @param name begins the ids of the games: each backlog has games of its own
 */
export function createHealthBacklog(name: string, count: number, nowMs: number): HealthBacklog {
  const random = createRandom(count);
  const lastGameId = `${name}-last`;
  const gameIds = Array.from(
    { length: Math.max(1, Math.round(count / eventsPerGame)) },
    (_, game) => `${name}-${game}`,
  );
  const ends = new Map<string, GameState & { events: number }>();
  const entries: string[][] = [];
  const add = (gameId: string, { type, status, health }: Step, container: number): void => {
    const occurredAtMs = nowMs - count + entries.length;
    entries.push(toFields({ gameId, type, containerId: container.toString(16).padStart(12, '0'), occurredAtMs }));
    ends.set(gameId, { status, health, events: (ends.get(gameId)?.events ?? 0) + 1 });
  };
  const startsBefore = (events: number): number =>
    Array.from({ length: events }, (_, index) => life[index % life.length]).filter(
      (step) => step?.type === 'container_started',
    ).length;
  for (let made = 1; made < count; made += 1) {
    const gameId = gameIds[Math.floor(gameIds.length * random())] ?? lastGameId;
    const events = ends.get(gameId)?.events ?? 0;
    add(gameId, life[events % life.length] ?? lastStep, startsBefore(events + 1));
  }
  add(lastGameId, lastStep, 0);
  return { gameIds: [...gameIds, lastGameId], entries, ends, lastGameId };
}

/** The five fields of the contract. */
export function toFields(event: {
  gameId: string;
  type: HealthEventType;
  containerId: string;
  occurredAtMs: number;
}): string[] {
  const { gameId, type, containerId, occurredAtMs } = event;
  const details = type === 'container_exited' ? '{"exit_code":137,"oom":false}' : '{}';
  return [
    ...['game_id', gameId, 'container_id', containerId, 'event_type', type],
    ...['occurred_at_ms', String(occurredAtMs), 'details', details],
  ];
}
