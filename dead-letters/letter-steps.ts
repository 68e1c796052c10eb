/** A letter, and what its record takes. */
export interface SizedLetter {
  id: string;
  payloadBytes: number;
}

/** Letters in steps, in order: each of a number and a size at most, and of one letter at least. */
export function* lettersInSteps(
  letters: readonly SizedLetter[],
  limits: { maxLetters: number; maxBytes: number },
): Generator<string[]> {
  let step: string[] = [];
  let bytes = 0;
  for (const { id, payloadBytes } of letters) {
    if (step.length > 0 && (step.length === limits.maxLetters || bytes + payloadBytes > limits.maxBytes)) {
      yield step;
      step = [];
      bytes = 0;
    }
    step.push(id);
    bytes += payloadBytes;
  }
  if (step.length > 0) yield step;
}
