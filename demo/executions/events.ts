import { createRandom } from '../random.ts';
import { drawData } from './event-data.ts';
import type { Strategy } from './strategies.ts';

/** Something that a user did and that is to be scored: who did what, where and when. */
export type ScoringEvent = {
  externalGameId: string;
  externalTaskId: string;
  externalUserId: string;
  /** whatever the game's client reported */
  data: Readonly<Record<string, unknown>>;
  /** Offset from the start of the traffic, in ms. */
  atMs: number;
  /** The `id` of one of the strategies that the traffic was made for. */
  strategyId: string;
};

export type GenerateEventsOptions = {
  /** The number of events, a whole number >= 0, or Infinity: events are generated one at a time. */
  count: number;
  seed: number;
  /** At least one. The first is drawn most often, with eight of them in about 35 of 100 events. */
  strategies: readonly Pick<Strategy, 'id'>[];
  /** Mean rate of arrivals per second of `atMs`. @default 100 */
  perSecond?: number;
};

const games = 6;
const tasksPerGame = 40;
const users = 5000;

/**
 * Generates traffic: Poisson arrivals, a few busy users, games and tasks. The same options give the same events.
 * @throws RangeError at once, not at the first event, if an option is out of range
 */
export function generateEvents(options: GenerateEventsOptions): Generator<ScoringEvent, void, undefined> {
  const { count, seed, strategies, perSecond = 100 } = options;
  if (!(count === Infinity || Number.isInteger(count)) || count < 0) {
    throw new RangeError(`count must be a whole number >= 0, got ${count}`);
  }
  if (!(perSecond > 0 && perSecond < Infinity)) throw new RangeError(`perSecond must be above 0, got ${perSecond}`);
  if (strategies.length === 0) throw noStrategies();
  return generate({ count, seed, strategies, perSecond });
}

function* generate(options: Required<GenerateEventsOptions>): Generator<ScoringEvent, void, undefined> {
  const random = createRandom(options.seed);
  const meanGapMs = 1000 / options.perSecond;
  let atMs = 0;
  for (let made = 0; made < options.count; made += 1) {
    atMs += -Math.log(1 - random()) * meanGapMs;
    yield drawEvent({ atMs, strategies: options.strategies, random });
  }
}

/**
 * Draws everything about an event except its time.
 * @throws RangeError if there is no strategy to draw
 */
export function drawEvent(options: {
  atMs: number;
  strategies: readonly Pick<Strategy, 'id'>[];
  random: () => number;
}): ScoringEvent {
  const { atMs, strategies, random } = options;
  // A power of a uniform number is skewed towards 0: the second of eight gets 15 of 100 events, the last one 6.
  const skewedIndex = (size: number, power: number) => Math.floor(size * random() ** power);
  const strategy = strategies[skewedIndex(strategies.length, 2)];
  if (strategy === undefined) throw noStrategies();
  const game = skewedIndex(games, 2);
  return {
    atMs,
    strategyId: strategy.id,
    externalGameId: `game-${game}`,
    externalTaskId: `game-${game}-task-${skewedIndex(tasksPerGame, 2)}`,
    externalUserId: `user-${skewedIndex(users, 3)}`,
    data: drawData(random),
  };
}

function noStrategies(): RangeError {
  return new RangeError('strategies must not be empty');
}
