import { executionFields } from '../../shared/contracts/canonical-text.ts';
import { executionLimits, executionStatuses } from '../../shared/contracts/execution.ts';
import { type NarrowField, canonicalValues as values } from '../ingest/canonical-chunk.ts';

/** A column of strategy_execution_log, and the field of a record that it has. */
interface Column extends NarrowField {
  column: string;
  type: string;
}

type Kind = Pick<Column, 'type' | 'value'> & Partial<Pick<Column, 'isOptional' | 'maxLength'>>;

const text = (maxLength: number): Kind => ({ type: 'text', value: values.text, maxLength });
const identifier = text(executionLimits.identifierChars);
const count: Kind = { type: 'integer', value: values.count };
const number: Kind = { type: 'double precision', value: values.number };
const optional = (kind: Kind): Kind => ({ ...kind, isOptional: true });

const kinds: Record<(typeof executionFields.narrow)[number], Kind> = {
  id: { type: 'uuid', value: values.uuid },
  recordedAt: { type: 'timestamptz', value: values.time },
  strategyId: identifier,
  strategyVersion: { type: 'integer', value: values.integer },
  strategyType: identifier,
  realmId: optional(identifier),
  externalGameId: optional(identifier),
  externalTaskId: optional(identifier),
  externalUserId: optional(identifier),
  status: { type: 'text', value: values.oneOf(executionStatuses) },
  errorCode: optional(identifier),
  errorMessage: optional(text(executionLimits.messageChars)),
  failedNodeId: optional(identifier),
  points: optional(number),
  caseName: optional(identifier),
  durationMs: number,
  nodesExecuted: count,
  traceLength: optional(count),
  sampled: { type: 'boolean', value: values.boolean },
  sampleRate: number,
  parentStrategyId: optional(identifier),
  astHash: optional(identifier),
  attempt: { type: 'integer', value: values.atLeastOne },
  notes: optional(text(executionLimits.notesChars)),
  traceId: optional({ type: 'text', value: values.traceContextId(32) }),
  spanId: optional({ type: 'text', value: values.traceContextId(16) }),
};

/** In the order of a record's canonical text. */
export const narrowColumns: readonly Column[] = executionFields.narrow.map((name) => ({
  ...{ name, column: toColumn(name), isOptional: false, maxLength: Number.POSITIVE_INFINITY },
  ...kinds[name],
}));

/** Those that follow in a record's canonical text. */
export const wideColumns = executionFields.wide.map((name) => ({ name, column: toColumn(name), type: 'jsonb' }));

function toColumn(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
