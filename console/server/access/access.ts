/** What a caller may do. */
export type Access =
  /** read everything and change things */
  | { kind: 'operator' }
  /** read everything */
  | { kind: 'read' }
  /** read the executions of one realm */
  | { kind: 'realm'; realm: string }
  /** read the console's own metrics */
  | { kind: 'metrics' };

/** What access a route requires. A route that does not say requires an operator. */
export type AccessNeed = 'anybody' | 'metrics' | 'realm' | 'read' | 'operator';

const kindsFor: Record<Exclude<AccessNeed, 'anybody'>, readonly Access['kind'][]> = {
  metrics: ['metrics', 'read', 'operator'],
  realm: ['realm', 'read', 'operator'],
  read: ['read', 'operator'],
  operator: ['operator'],
};

export function isAllowed(access: Access, need: AccessNeed): boolean {
  return need === 'anybody' || kindsFor[need].includes(access.kind);
}
