/** How a run ends, the usual way first. */

/** @typedef {import('../types.d.ts').Status} Status */

/** @type {readonly Status[]} */
export const statuses = ['ok', 'error', 'timeout', 'limit', 'cancelled'];
