import type { Selected } from './select-json.ts';

/** What is selected of an event, with places for values. */
export type Outline = Selected | Slot | Parts;

/** The place of a value, by its number. */
export class Slot {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/** An object or a list with slots somewhere in it. */
class Parts {
  /** null: a list */
  readonly names: readonly string[] | null;
  readonly parts: readonly Outline[];

  constructor(names: readonly string[] | null, parts: readonly Outline[]) {
    this.names = names;
    this.parts = parts;
  }
}

/** @param selected a value in which slots stand for others */
export function toOutline(selected: Selected): Outline {
  const part: unknown = selected;
  if (typeof selected !== 'object' || selected === null || part instanceof Slot) return selected;
  const names = Array.isArray(selected) ? null : Object.keys(selected);
  const parts = Object.values(selected).map(toOutline);
  return parts.some(isOpen) ? new Parts(names, parts) : selected;
}

/** The value that an outline has with these values in its slots. What has no slots is the same object each time. */
export function fill(outline: Outline, values: readonly Selected[]): Selected {
  if (outline instanceof Slot) return values[outline.index] as Selected;
  if (!(outline instanceof Parts)) return outline;
  const { names, parts } = outline;
  if (names === null) return parts.map((part) => fill(part, values));
  const object: Record<string, Selected> = {};
  for (let index = 0; index < names.length; index += 1)
    object[names[index] as string] = fill(parts[index] as Outline, values);
  return object;
}

/** The outline with these values, or other slots, in its slots. */
export function fillIn(outline: Outline, values: readonly Outline[]): Outline {
  if (outline instanceof Slot) return values[outline.index] as Outline;
  if (!(outline instanceof Parts)) return outline;
  const filled = new Parts(
    outline.names,
    outline.parts.map((part) => fillIn(part, values)),
  );
  return filled.parts.some(isOpen) ? filled : fill(filled, []);
}

function isOpen(outline: Outline): boolean {
  return outline instanceof Slot || outline instanceof Parts;
}
