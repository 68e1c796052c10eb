import { AsyncLocalStorage } from 'node:async_hooks';
import type { Access } from '../access/access.ts';
import type { BoardAccess } from './board-rules.ts';

/**
 * How somebody may see the board. Private data is for those who have shown an operator's token: without any tokens everybody on
 * this machine may change things, and sees no more than a reader.
 */
export function boardAccessOf(access: Access | null, areTokensRequired: boolean): BoardAccess {
  const mayChange = access?.kind === 'operator';
  return { mayChange, reveals: mayChange && areTokensRequired };
}

/** The access of the request that is being answered. Bull Board calls its formatters without telling for whom. */
export const currentAccess = new AsyncLocalStorage<BoardAccess>();

export const noAccess: BoardAccess = { mayChange: false, reveals: false };
