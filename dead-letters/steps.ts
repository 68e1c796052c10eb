/** A dead letter, and what its record takes. */
export interface SizedDeadLetter {
  id: string;
  payloadBytes: number;
}

/** Dead letters in steps, in order: each of a number and a size at most, and of one dead letter at least. */
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
