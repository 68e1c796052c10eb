import type { Timeline } from '../executions/demo-events.ts';
import { createRandom } from '../random.ts';
import { type BadEntry, faults, type GameEntry, type GameEvent } from './game-events.ts';
import { generateStory } from './story.ts';

/** Which games the demo has. */
export interface GenerateGamesOptions {
  /** their number, above 0 */
  games: number;
  /** the time in which everything is written, in seconds */
  seconds: number;
  seed: number;
}

const gamesPerBadEntry = 25;

/** All bad entries are written by then, as a share of the time: the consumer waits for an unknown game. */
const badEntriesEnd = 0.25;

/** Generates the events of all games and a few bad entries, in time order. The same options give the same result. */
export function generateGames({ games, seconds, seed }: GenerateGamesOptions): Timeline<GameEntry> {
  const random = createRandom(seed);
  const lastsMs = seconds * 1_000;
  const events = Array.from({ length: games }, (_, game) => drawGame(game, lastsMs, random)).flat();
  // Every fault at least once, however few games there are.
  const badCount = Math.max(faults.length, Math.round(games / gamesPerBadEntry));
  const bad = Array.from({ length: badCount }, (_, index): BadEntry => {
    const fault = faults[index % faults.length] as BadEntry['fault'];
    return { kind: 'bad', atMs: lastsMs * badEntriesEnd * random(), fault, index };
  });
  // A stable sort: simultaneous events of a game stay in order.
  const entries: GameEntry[] = [...events, ...bad].sort((a, b) => a.atMs - b.atMs);
  return { events: entries, total: entries.length };
}

/** A game's story, stretched over the time from its start to the end of the traffic, or to some time before. */
function drawGame(game: number, lastsMs: number, random: () => number): GameEvent[] {
  const startMs = lastsMs * 0.2 * random();
  const endMs = lastsMs * (0.7 + 0.3 * random());
  const steps = generateStory(random);
  const wholeGap = steps.reduce((sum, { gap }) => sum + gap, 0);
  const timesMs: number[] = [];
  let passed = 0;
  return steps.map(({ gap, stepsLate, ...step }, index) => {
    passed += gap;
    const atMs = startMs + ((endMs - startMs) * passed) / wholeGap;
    timesMs.push(atMs);
    return { kind: 'event', game, atMs, seenAtMs: timesMs[index - stepsLate] ?? atMs, ...step };
  });
}
