/**
 * What a game's client reports with an event: one record that serves every demo strategy.
 * Most of it is clean. The flaws are those of real clients, each at its own rate: `accuracy` left out (1 %),
 * `ageHours` null (6 %), no `attempts` (15 %), `level` as text (15 %), `bonus` not a number (10 %),
 * a broken count of `contributions` (2 %), a huge grid (12 %), an unthinned track (5 %).
 * @param random gives 0 <= n < 1; the value that a flaw replaces is drawn anyway, so a changed rate shifts nothing else
 */
export function drawData(random: () => number): Record<string, unknown> {
  const chance = (probability: number) => random() < probability;
  const whole = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  const hundredths = (value: number) => Math.round(value * 100) / 100;
  const upTo = (high: number, power: number) => hundredths(high * random() ** power);

  const accuracy = hundredths(1 - upTo(0.7, 2));
  const hasAccuracy = !chance(0.01);
  const triedAttempts = whole(1, 6);
  const attempts = chance(0.15) ? 0 : triedAttempts;
  const correct = Math.min(attempts, whole(0, 6));
  const level = whole(1, 30);
  const bonus = whole(10, 50);
  const contributions = Math.floor(upTo(200, 3));
  const ageHours = upTo(96, 2);
  const smallGrid = [whole(2, 6), whole(2, 6)];
  const hugeGrid = [whole(20, 40), whole(20, 40)];
  const [gridRows, gridColumns] = chance(0.12) ? hugeGrid : smallGrid;
  const thinnedSamples = whole(5, 20);

  return {
    ...(hasAccuracy && { accuracy }),
    difficulty: whole(1, 5),
    attempts,
    correct,
    streakDays: Math.floor(upTo(60, 4)),
    usedFreeze: chance(0.1),
    weekend: chance(2 / 7),
    ageHours: chance(0.06) ? null : ageHours,
    level: chance(0.15) ? String(level) : level,
    bonus: chance(0.1) ? 'n/a' : bonus,
    contributions: chance(0.02) ? -1 : contributions,
    minutes: upTo(20, 2),
    meanMinutes: upTo(20, 2),
    insideArea: chance(0.93),
    gridRows,
    gridColumns,
    samples: chance(0.05) ? 2_000_000 : thinnedSamples,
    distanceKm: upTo(12, 2),
  };
}
