/** Passes items from senders to one receiver within a process, like Tokio's bounded channel. */
export interface BoundedChannel<T> {
  /** Resolves when there was room for the item. */
  send(item: T): Promise<void>;
  /** Resolves with at least one item and at most this many: takes what is there without waiting for more. */
  receive(most: number): Promise<T[]>;
}

/** Creates a channel with this capacity. */
export function createBoundedChannel<T>(capacity: number): BoundedChannel<T> {
  let items: T[] = [];
  let wakeSender: (() => void) | null = null;
  let wakeReceiver: (() => void) | null = null;
  return {
    async send(item) {
      while (items.length >= capacity) {
        await new Promise<void>((resolve) => {
          wakeSender = resolve;
        });
      }
      items.push(item);
      wakeReceiver?.();
    },
    async receive(most) {
      while (items.length === 0) {
        await new Promise<void>((resolve) => {
          wakeReceiver = resolve;
        });
      }
      const taken = items.slice(0, most);
      items = items.slice(most);
      wakeSender?.();
      return taken;
    },
  };
}
