/** What a task did or would do, for a person: its outcome, then a line for each message. */
export function describeTask(name: string, result: object): string[] {
  const { outcome, ...said } = result as { outcome?: string } & Record<string, unknown>;
  const lines = Object.entries(said).map(([field, value]) => `  ${toWords(field)}: ${describe(value)}`);
  return [`${name}: ${outcome ?? 'dry run, nothing changed'}`, ...lines];
}

function toWords(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function describe(value: unknown): string {
  if (typeof value === 'number') return String(Math.round(value * 10) / 10);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(describe).join(', ');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.values(value).every((item) => typeof item === 'string')
    ? Object.values(value).join(': ')
    : Object.entries(value)
        .map(([key, item]) => `${key} ${describe(item)}`)
        .join(', ') || 'none';
}
