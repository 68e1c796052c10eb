/** Commands that run until they are asked to stop, and then end in time, whether or not anybody reads their output. */
export const lastingCommands: readonly string[] = ['start', 'demo', 'worker', 'gateway', 'console'];
