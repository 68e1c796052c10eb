/** Writes one finished step as one line, with its duration, to standard error: standard output is for results. */
export async function step<T>(work: () => Promise<T>, describe: (result: T) => string): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  say(`${describe(result)} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  return result;
}

/** One line to standard error. */
export function say(line: string): void {
  process.stderr.write(`sluice: ${line}\n`);
}
