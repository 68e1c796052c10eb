const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/**
 * Counts over time as one line of bars, all on the scale of the highest. Nothing is a dot, so that it cannot be taken for a
 * little; anything above nothing is at least the lowest bar.
 *
 * @param columns that it may take: when there are more counts, neighbours are added up
 */
export function toSparkline(counts: readonly number[], columns: number): string {
  const summed = sumNeighbours(counts, columns);
  const highest = Math.max(0, ...summed);
  return summed.map((count) => (count > 0 ? bars[Math.ceil((count / highest) * bars.length) - 1] : '·')).join('');
}

/** Adds up as many neighbours as it takes, in groups of the same size; the last one may be smaller. */
export function sumNeighbours(counts: readonly number[], columns: number): number[] {
  const size = Math.max(1, Math.ceil(counts.length / Math.max(1, columns)));
  return Array.from({ length: Math.ceil(counts.length / size) }, (_, group) =>
    counts.slice(group * size, (group + 1) * size).reduce((sum, count) => sum + count, 0),
  );
}
