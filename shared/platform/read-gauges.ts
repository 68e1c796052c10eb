import { Gauge, type Registry } from 'prom-client';

/** What a gauge says. A truth value counts as 1 or 0. Null: it is unknown, and the gauge is absent */
type Reading = number | boolean | null;

/** Makes gauges without labels, each of which is read at each scrape. */
export function readGaugesOf(registry: Registry) {
  return (name: string, help: string, read: () => Reading | Promise<Reading>): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const value = await read();
        if (value === null) this.remove();
        else this.set(Number(value));
      },
    });
  };
}
