/** @typedef {import('./conversation.d.ts').Field} Field */
/** @typedef {import('./conversation.d.ts').Part} Part */

/**
 * What a part says, as plain text: to compare and to copy it.
 *
 * @param {Part} part
 * @returns {string}
 */
export function textOfPart(part) {
  switch (part.kind) {
    case 'text':
    case 'raw':
      return part.text;
    case 'reasoning':
      return `(reasoning) ${part.text}`;
    case 'refusal':
      return `(refusal) ${part.text}`;
    case 'error':
      return `(error ${part.code}) ${part.text}`;
    case 'media':
      return `(${part.media}, ${part.type ?? 'unknown type'}, ${part.bytes ?? '?'} bytes) ${part.name ?? ''}`;
    case 'numbers':
      return `(${part.of} of ${part.length})`;
    case 'call':
      return [
        `(call) ${part.name}`,
        part.input,
        ...part.others.map(textOfField),
        ...(part.result === null ? [] : [textOfPart(part.result)]),
      ].join('\n');
    case 'result':
      return [part.isError ? '(failed result)' : '(result)', ...part.parts.map(textOfPart)].join('\n');
    case 'other':
      return part.fields.map(textOfField).join('\n');
  }
}

/** @param {import('./conversation.d.ts').Turn} turn */
export function textOfTurn({ parts }) {
  return parts.map(textOfPart).join('\n');
}

/** @param {Field} field */
function textOfField({ name, text }) {
  return `${name}: ${text}`;
}
