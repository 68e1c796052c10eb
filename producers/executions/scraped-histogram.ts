import {
  Histogram,
  type HistogramConfiguration,
  type MetricObjectWithValues,
  type MetricValueWithName,
} from 'prom-client';
import type { DurationSeries } from './execution-series.ts';

/** A series of a histogram, with its labels. */
export interface LabelledDurations<L extends string> {
  labels: Record<L, string>;
  durations: DurationSeries;
}

/** A histogram whose numbers are counted elsewhere and read at each scrape. */
export class ScrapedHistogram<L extends string> extends Histogram<L> {
  readonly #name: string;
  readonly #help: string;
  readonly #edges: readonly number[];
  readonly #read: () => Iterable<LabelledDurations<L>>;

  constructor(options: HistogramConfiguration<L> & { buckets: number[] }, read: () => Iterable<LabelledDurations<L>>) {
    super(options);
    this.#name = options.name;
    this.#help = options.help;
    this.#edges = options.buckets;
    this.#read = read;
  }

  override async get(): Promise<MetricObjectWithValues<MetricValueWithName<L>>> {
    const values = [...this.#read()].flatMap((series) => this.#samplesOf(series));
    const metric = { name: this.#name, help: this.#help, type: 'histogram', aggregator: 'sum', values };
    // prom-client's types demand more than it returns itself: a collect method, and a number for the type.
    return metric as unknown as MetricObjectWithValues<MetricValueWithName<L>>;
  }

  /** Called by prom-client when it writes its text. Here the samples share no labels. */
  getForPromString(): Promise<MetricObjectWithValues<MetricValueWithName<L>>> {
    return this.get();
  }

  #samplesOf({ labels, durations }: LabelledDurations<L>): MetricValueWithName<L>[] {
    const sample = (suffix: string, extra: object, value: number) =>
      ({ metricName: `${this.#name}_${suffix}`, labels: { ...extra, ...labels }, value }) as MetricValueWithName<L>;
    let below = 0;
    const buckets = this.#edges.map((le, index) => {
      below += durations.buckets[index] ?? 0;
      return sample('bucket', { le }, below);
    });
    return [
      ...buckets,
      sample('bucket', { le: '+Inf' }, durations.count),
      sample('sum', {}, durations.sumSeconds),
      sample('count', {}, durations.count),
    ];
  }
}
