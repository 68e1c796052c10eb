/** Lists and names of the server. Each has the literal type of the server's own, so the type check fails if one differs. */

/** @typedef {import('../types.d.ts').ContractLists} ContractLists */

/** @type {ContractLists['executionStatuses']} */
export const statuses = ['ok', 'error', 'timeout', 'limit', 'cancelled'];

/** @type {ContractLists['requestStates']} */
export const requestStates = ['processing', 'claimed', 'pending', 'completed', 'failed', 'canceled'];

/** @type {ContractLists['statusClasses']} */
export const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'];

/** @type {ContractLists['deadLetterStates']} */
export const deadLetterStates = ['open', 'replayed', 'stored', 'discarded'];

/** @type {ContractLists['serviceTiers']} */
export const serviceTiers = ['auto', 'default', 'flex', 'priority', 'background'];

/** @type {ContractLists['requestDimensions']} */
export const requestDimensions = ['model', 'provider', 'api', 'createdBy', 'endpoint', 'statusClass', 'serviceTier'];

/** @type {ContractLists['requestOrders']} */
export const requestOrders = ['requests', 'failures', 'tokens', 'cost'];

/** @type {ContractLists['pieceNames']} */
export const pieceNames = {
  missing: 'missing',
  uncertain: 'uncertain',
  unchecked: 'not looked up',
  abandoned: 'given up',
  onDisk: 'on disk',
  failed: 'failed job',
  unsent: 'not sent yet',
  queued: 'in Redis',
};

/** @type {ContractLists['inFlightNames']} */
export const inFlightNames = {
  waiting: 'waiting with producers',
  unsent: 'not acknowledged by Redis',
  onDisk: 'in the spill of closed producers',
  queued: 'in Redis or at a worker',
  failed: 'in failed jobs',
  unchecked: 'not looked up',
};
