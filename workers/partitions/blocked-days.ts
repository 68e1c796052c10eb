/** Told by each role that makes partitions; only maintenance tells it of the last check of any of its processes. */
export const blockedDaysMetric = {
  name: 'sluice_partitions_blocked',
  help: 'Days whose own partition cannot be created because the DEFAULT partition has rows of them',
} as const;
