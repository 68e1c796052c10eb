/** The value below which a share of the values lies: 0.5 is the median. NaN if there are none. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** How long things took. */
export interface Latency {
  samples: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export function toLatency(latenciesMs: readonly number[]): Latency {
  return {
    samples: latenciesMs.length,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    maxMs: Math.max(...latenciesMs),
  };
}

/** A line through points. */
export interface Regression {
  slope: number;
  /** of the slope */
  standardError: number;
}

/**
 * Ordinary least squares. Readings that follow each other closely are alike, and tell less than as many independent ones: the
 * standard error is enlarged by the correlation of neighbours, √((1 + r) / (1 − r)), as for a first-order autoregression.
 *
 * @param points in their order, three at least; otherwise NaN
 */
export function regress(points: readonly { x: number; y: number }[]): Regression {
  const mean = (of: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const meanX = mean(({ x }) => x);
  const meanY = mean(({ y }) => y);
  const spread = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const residuals = points.map(({ x, y }) => y - meanY - slope * (x - meanX));
  const squares = residuals.reduce((sum, residual) => sum + residual ** 2, 0);
  const products = residuals.reduce((sum, residual, index) => sum + residual * (residuals[index - 1] ?? 0), 0);
  const correlation = squares === 0 ? 0 : Math.min(0.99, Math.max(0, products / squares));
  const independent = Math.sqrt(squares / (points.length - 2) / spread);
  return { slope, standardError: independent * Math.sqrt((1 + correlation) / (1 - correlation)) };
}
