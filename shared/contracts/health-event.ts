import type { RuntimeStatus } from './runtime-status.ts';

/** The stream to which runtime managers write what they observe about a game's container, one entry for each observation. */
export const healthStream = 'runtime:health_events';

/** What happened to a container. The contract's list is closed. */
export const healthEventTypes = [
  'container_started',
  'probe_recovered',
  'probe_failed',
  'inspect_unhealthy',
  'container_exited',
  'container_oom',
  'container_disappeared',
] as const;
export type HealthEventType = (typeof healthEventTypes)[number];

/** The health of a game's engine, in one word. */
export type HealthSummary = 'healthy' | 'probe_failed' | 'inspect_unhealthy' | 'exited' | 'oom' | 'disappeared';

/** What an event does to a game's record: its health becomes `summary`, and its status takes one of the transitions. */
export interface Reaction {
  summary: HealthSummary;
  /** only from `from`; in any other status, only the health changes */
  transition: { from: RuntimeStatus; to: RuntimeStatus } | null;
}

const recovers = { from: 'engine_unreachable', to: 'running' } as const;
const isLost = { from: 'running', to: 'engine_unreachable' } as const;

/** All rules, in one place. */
export const reactions: Readonly<Record<HealthEventType, Reaction>> = {
  container_started: { summary: 'healthy', transition: null },
  probe_recovered: { summary: 'healthy', transition: recovers },
  probe_failed: { summary: 'probe_failed', transition: null },
  inspect_unhealthy: { summary: 'inspect_unhealthy', transition: null },
  container_exited: { summary: 'exited', transition: isLost },
  container_oom: { summary: 'oom', transition: isLost },
  container_disappeared: { summary: 'disappeared', transition: isLost },
};

/** A parsed observation. */
export interface HealthEvent {
  /** not trimmed */
  gameId: string;
  type: HealthEventType;
  /** UTC milliseconds since 1970, above 0, by the producer's clock */
  occurredAtMs: number;
  /** null if the producer named none */
  containerId: string | null;
}

/** The fields of an entry that are read. */
export const readFields = ['game_id', 'event_type', 'occurred_at_ms', 'container_id'] as const;

/** Fields and values of a stream entry, alternating. */
export type StreamFields = readonly string[];

/** An entry that cannot be read as an event, and why. */
export interface UnreadableEvent {
  problem: 'malformed' | 'unknown_type';
  reason: string;
}

/** If a field occurs more than once, the last one counts. */
export function fieldOf(fields: StreamFields, name: string): string | undefined {
  for (let at = fields.length - 2; at >= 0; at -= 2) if (fields[at] === name) return fields[at + 1];
  return undefined;
}

const maxInt64 = 2n ** 63n - 1n;

/**
 * Parses an entry: `game_id`, `event_type` and `occurred_at_ms` are required and must not be blank. The time must be a decimal
 * integer above 0 that fits into 64 bits. Everything else in the entry is ignored, except `container_id`.
 */
export function readHealthEvent(fields: StreamFields): HealthEvent | UnreadableEvent {
  const gameId = fieldOf(fields, 'game_id') ?? '';
  if (isBlank(gameId)) return malformed('game_id is missing');
  const type = fieldOf(fields, 'event_type') ?? '';
  if (isBlank(type)) return malformed('event_type is missing');
  const occurredAt = fieldOf(fields, 'occurred_at_ms') ?? '';
  if (isBlank(occurredAt)) return malformed('occurred_at_ms is missing');
  if (!/^[+-]?\d+$/.test(occurredAt)) return malformed('occurred_at_ms is not a whole number');
  // Leading zeros are accepted, however many there are. A text too long for a 64-bit number is not converted.
  const digits = occurredAt.replace(/^\+?0*/, '');
  if (digits === '' || digits.startsWith('-')) return malformed('occurred_at_ms is not above 0');
  if (digits.length > 19 || BigInt(digits) > maxInt64) return malformed('occurred_at_ms does not fit 64 bits');
  if (!isHealthEventType(type)) return { problem: 'unknown_type', reason: `event_type ${quote(type)} is not known` };
  return { gameId, type, occurredAtMs: Number(digits), containerId: fieldOf(fields, 'container_id') || null };
}

export function isUnreadable(event: HealthEvent | UnreadableEvent): event is UnreadableEvent {
  return 'problem' in event;
}

function isHealthEventType(text: string): text is HealthEventType {
  return Object.hasOwn(reactions, text);
}

/** White space as in the original's language: U+0085 is white space, U+FEFF is not. */
const whiteSpace = '[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const blank = new RegExp(`^${whiteSpace}*$`);

/** A text that is not blank. */
export const notBlankPattern = new RegExp(`[^${whiteSpace.slice(1)}`);
const blankEnds = new RegExp(`^${whiteSpace}+|${whiteSpace}+$`, 'g');

export function isBlank(text: string): boolean {
  return blank.test(text);
}

/** The text without leading and trailing white space. */
export function trimBlanks(text: string): string {
  return text.replace(blankEnds, '');
}

function malformed(reason: string): UnreadableEvent {
  return { problem: 'malformed', reason };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
