/** What one body holds of the budget. */
export interface Holding {
  /** Sets what it holds now. False: there is not so much left, and it holds what it did. */
  set(bytes: number): boolean;
  release(): void;
}

/** The memory that all bodies share while they are being read: senders may be many, slow and greedy at the same time. */
export function createMemoryBudget(maxBytes: number) {
  let heldBytes = 0;
  return {
    get heldBytes(): number {
      return heldBytes;
    },
    open(): Holding {
      let own = 0;
      return {
        set(bytes) {
          if (bytes > own && heldBytes - own + bytes > maxBytes) return false;
          heldBytes += bytes - own;
          own = bytes;
          return true;
        },
        release() {
          heldBytes -= own;
          own = 0;
        },
      };
    },
  };
}

export type MemoryBudget = ReturnType<typeof createMemoryBudget>;
