/** Depth and age of the queues over time, from the answers that the page has had since it was opened. */

/** @typedef {import('../types.d.ts').QueueList} QueueList */
/** @typedef {{ atMs: number, depth: number, ageSeconds: number | null }} Sample */

/** An hour at one answer in five seconds. */
const most = 720;

/** @type {Map<string, Sample[]>} */
const samples = new Map();

/** @param {QueueList} list */
export function remember(list) {
  const atMs = Date.parse(list.at);
  for (const { queue, waiting, active, delayed, oldestAgeSeconds } of list.queues) {
    const known = samples.get(queue) ?? [];
    if ((known.at(-1)?.atMs ?? 0) >= atMs) continue;
    samples.set(
      queue,
      [...known, { atMs, depth: waiting + active + delayed, ageSeconds: oldestAgeSeconds ?? 0 }].slice(-most),
    );
  }
}

/** @param {string} queue */
export function samplesOf(queue) {
  return samples.get(queue) ?? [];
}
