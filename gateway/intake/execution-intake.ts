import { LazyRecord } from '../../producers/core/lazy-record.ts';
import type { Redaction } from '../../producers/core/redact.ts';
import type { Execution } from '../../producers/executions/execution.ts';
import type { ExecutionMetrics } from '../../producers/executions/execution-metrics.ts';
import { captureExecutionRecord } from '../../producers/executions/execution-record.ts';
import { type ExecutionInput, executionInputSchema } from '../../shared/contracts/execution-input.ts';
import type { ProducerSettings } from '../../shared/platform/config/producer-config.ts';
import type { Sender } from '../access/sender.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Limits } from '../limits.ts';
import type { Fault } from './body-tally.ts';
import { checkInput, contentFault, idOf } from './find-fault.ts';
import { type BodyContext, type Intake, refuse, sampledOut, type Taken } from './intake.ts';
import { deriveId, timeOfUuidV7 } from './record-identity.ts';

export interface ExecutionIntakeOptions {
  delivery: Delivery;
  limits: Limits;
  settings: Pick<ProducerSettings, 'sampleRate' | 'traceLimit' | 'recordMaxBytes'>;
  metrics: ExecutionMetrics;
  redaction: Redaction | null;
  /** uniform in [0, 1) */
  random: () => number;
  /** ms since 1970 */
  now: () => number;
}

/** Reads executions as services send them. */
export function createExecutionIntake(options: ExecutionIntakeOptions): Intake {
  const { delivery, limits, settings, metrics, redaction, random, now } = options;
  const { sampleRate, traceLimit, recordMaxBytes: maxBytes } = settings;

  /** Whether the gateway keeps it. All runs count, as in a service that decides by itself. */
  const keeps = (input: ExecutionInput): boolean => {
    const { realmId: realm, strategyType = 'unknown', status, errorCode, durationMs, nodesExecuted } = input;
    metrics.observe({ realm, strategyType, status, errorCode, durationMs, nodesExecuted: nodesExecuted ?? 0 });
    return input.status !== 'ok' || (sampleRate > 0 && random() < sampleRate);
  };

  return {
    kind: 'executions',
    delivery,
    maxLineBytes: limits.lineBytes.executions,

    take(value, index, context): Taken {
      const { value: input, fault } = checkInput(executionInputSchema, value);
      if (fault !== null) return refuse({ ...fault, ...idOf(value, 'id') });
      const identity = identify(input, index, context);
      const barred = 'kind' in identity ? identity : findBarredRealm(input, context.sender);
      if (barred !== null || 'kind' in identity) return refuse({ ...(barred as Fault), ...idOf(input, 'id') });
      if (context.sample && !keeps(input)) {
        metrics.sampledOut();
        delivery.countSampledOut(input.realmId ?? null);
        return sampledOut;
      }
      const { notes, traceLength, sampleRate: ofSender, ...execution } = input;
      const captured = captureExecutionRecord({ ...execution, ...identity } as Execution, {
        nowMs: now(),
        sampleRate: (ofSender ?? 1) * (context.sample ? sampleRate : 1),
        traceLimit,
        maxBytes,
        span: null,
        notes: notes == null ? context.notes : [...context.notes, notes],
        traceLength,
        redaction,
      });
      return { outcome: 'record', record: new LazyRecord(captured), realm: input.realmId ?? null };
    },
  };
}

/** A row is found by its id and its time, so a repetition has to have both. */
function identify(
  { id, recordedAt }: ExecutionInput,
  index: number,
  { arrivedMs, idSeed }: BodyContext,
): { id?: string | undefined; recordedAt: string | number } | Fault {
  if (id == null)
    return { id: idSeed === null ? undefined : deriveId(idSeed, index), recordedAt: recordedAt ?? arrivedMs };
  const time = recordedAt ?? timeOfUuidV7(id) ?? (idSeed === null ? null : arrivedMs);
  if (time !== null) return { id, recordedAt: time };
  return contentFault(
    'recordedAt',
    'is required with an id that is not a UUID of version 7: a repetition is recognised by both',
  );
}

function findBarredRealm({ realmId }: ExecutionInput, sender: Sender | null): Fault | null {
  const realms = sender?.realms ?? null;
  if (realms === null || (realmId != null && realms.includes(realmId))) return null;
  return { kind: 'access', field: 'realmId', reason: 'is none of the realms that the token may write' };
}
