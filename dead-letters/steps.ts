/** A dead letter, and the size of its record. */
export interface SizedDeadLetter {
  id: string;
  payloadBytes: number;
}

/** Splits dead letters into steps, in order: each has a limited number and size, but at least one dead letter. */
export function* deadLettersInSteps(
  deadLetters: readonly SizedDeadLetter[],
  limits: { maxDeadLetters: number; maxBytes: number },
): Generator<string[]> {
  let step: string[] = [];
  let bytes = 0;
  for (const { id, payloadBytes } of deadLetters) {
    if (step.length > 0 && (step.length === limits.maxDeadLetters || bytes + payloadBytes > limits.maxBytes)) {
      yield step;
      step = [];
      bytes = 0;
    }
    step.push(id);
    bytes += payloadBytes;
  }
  if (step.length > 0) yield step;
}
