/** Those that run until they are asked to stop, and then end in time, whoever reads what they say. */
export const lastingCommands: readonly string[] = ['start', 'demo', 'worker', 'console'];
