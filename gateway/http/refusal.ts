import { type RefusalCode, refusalStatuses } from '../../shared/contracts/gateway-answer.ts';
import type { Rejection } from '../intake/body-tally.ts';

export type { RefusalCode };

/** What a refusal adds to its message. */
interface RefusalDetails {
  /** when to try again, in s; those of 429 and 503 always say it. @default 1 for these */
  retryAfterSeconds?: number;
  rejected?: { rejected: readonly Rejection[]; rejectedMore?: number };
}

/** Thrown where it is known that a body is not taken. The message goes to the sender, so it holds no secret. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: RefusalCode;
  readonly details: RefusalDetails;

  constructor(code: RefusalCode, message: string, details: RefusalDetails = {}) {
    super(message);
    this.code = code;
    this.status = refusalStatuses[code];
    this.details = details;
  }

  get headers(): Record<string, string> {
    const { retryAfterSeconds = 1 } = this.details;
    return {
      ...(this.status === 401 ? { 'www-authenticate': 'Bearer realm="sluice"' } : {}),
      ...(this.status === 429 || this.status === 503
        ? { 'retry-after': String(Math.max(1, Math.ceil(retryAfterSeconds))) }
        : {}),
    };
  }

  get body(): object {
    return { error: { code: this.code, message: this.message }, ...this.details.rejected };
  }
}
