import { AsyncLocalStorage } from 'node:async_hooks';
import type { Access } from '../access/access.ts';
import type { BoardAccess } from './board-rules.ts';

/**
 * What a caller may see and do on the board. Only those who have shown an operator's token see private data: without any
 * tokens, everybody on this machine may change things, but sees no more than a reader.
 */
export function boardAccessOf(access: Access | null, areTokensRequired: boolean): BoardAccess {
  const mayChange = access?.kind === 'operator';
  return { mayChange, reveals: mayChange && areTokensRequired };
}

/** The access of the request being answered. Bull Board calls its formatters without saying for which request. */
export const currentAccess = new AsyncLocalStorage<BoardAccess>();

export const noAccess: BoardAccess = { mayChange: false, reveals: false };
