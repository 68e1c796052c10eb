const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/**
 * Counts over time as one line of bars, scaled to the highest. Zero is a dot, so that it differs from a small value; anything
 * above zero has at least the lowest bar.
 *
 * @param columns available; if there are more counts, neighbours are added up
 */
export function toSparkline(counts: readonly number[], columns: number): string {
  const summed = sumNeighbours(counts, columns);
  const highest = Math.max(0, ...summed);
  return summed.map((count) => (count > 0 ? bars[Math.ceil((count / highest) * bars.length) - 1] : '·')).join('');
}

/** Adds up neighbours in groups of the same size, as large as necessary; the last group may be smaller. */
export function sumNeighbours(counts: readonly number[], columns: number): number[] {
  const size = Math.max(1, Math.ceil(counts.length / Math.max(1, columns)));
  return Array.from({ length: Math.ceil(counts.length / size) }, (_, group) =>
    counts.slice(group * size, (group + 1) * size).reduce((sum, count) => sum + count, 0),
  );
}
