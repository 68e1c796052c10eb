/**
 * A repeatable source of random numbers (mulberry32): the same seed gives the same sequence on every machine.
 * Good enough for demo traffic, not for secrets. Only the seed's low 32 bits count; a fraction is cut off.
 * @returns a function whose every call gives the next number, 0 <= n < 1
 */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
