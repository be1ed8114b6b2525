/*
 * Metrics as Prometheus reads them. @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */

/** Labels of one series; a metric has the same names in all of them. */
export type Labels = Readonly<Record<string, string>>;

/** Media type of the text. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** One metric, with its series. */
export interface Metric {
  /** Name, with its unit and, of a counter, `_total`. */
  readonly name: string;
  /** One line for people. */
  readonly help: string;
  /** Kind. */
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Suffix of the name, labels and value of each series. */
  readonly series: readonly {
    readonly suffix?: string;
    readonly labels?: Labels;
    readonly value: number;
  }[];
}

/** Writes metrics down. */
export function expose(metrics: readonly Metric[]): string {
  return metrics.map(exposeOne).join('');
}

function exposeOne({ name, help, type, series }: Metric): string {
  const lines = series.map(
    ({ suffix = '', labels = {}, value }) =>
      `${name}${suffix}${labelText(labels)} ${valueText(value)}\n`,
  );
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function valueText(value: number): string {
  return value === Infinity ? '+Inf' : String(value);
}

/** Counts, by labels. */
export class Counter {
  readonly #head: Omit<Metric, 'series' | 'type'>;
  readonly #counts = new Map<string, { readonly labels: Labels; value: number }>();

  /** Nothing is counted yet. */
  constructor(name: string, help: string) {
    this.#head = { name, help };
  }

  /** Adds one. */
  add(labels: Labels = {}): void {
    let key = '';
    for (const name in labels) key += `${labels[name] ?? ''}\n`;
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { labels, value: 1 });
    else known.value++;
  }

  /** What was counted. */
  metric(): Metric {
    return { ...this.#head, type: 'counter', series: [...this.#counts.values()] };
  }
}

/** Counts durations by how long they were, and one label. */
export class Histogram {
  readonly #head: Omit<Metric, 'series' | 'type'>;
  readonly #label: string;
  readonly #bounds: readonly number[];
  readonly #by = new Map<string, { readonly buckets: number[]; sum: number; count: number }>();

  /** @param bounds - upper bounds of the buckets, in seconds, ascending. */
  constructor(name: string, help: string, label: string, bounds: readonly number[]) {
    this.#head = { name, help };
    this.#label = label;
    this.#bounds = bounds;
  }

  /** Adds a duration in seconds. */
  observe(of: string, seconds: number): void {
    const known = this.#by.get(of) ?? { buckets: this.#bounds.map(() => 0), sum: 0, count: 0 };
    this.#by.set(of, known);
    const bucket = this.#bounds.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) known.buckets[bucket] = (known.buckets[bucket] ?? 0) + 1;
    known.sum += seconds;
    known.count++;
  }

  /** What was counted. */
  metric(): Metric {
    const series = [...this.#by].flatMap(([of, { buckets, sum, count }]) => {
      const label = { [this.#label]: of };
      let below = 0;
      const cumulative = this.#bounds.map((bound, i) => {
        below += buckets[i] ?? 0;
        return { suffix: '_bucket', labels: { ...label, le: String(bound) }, value: below };
      });
      return [
        ...cumulative,
        { suffix: '_bucket', labels: { ...label, le: '+Inf' }, value: count },
        { suffix: '_sum', labels: label, value: sum },
        { suffix: '_count', labels: label, value: count },
      ];
    });
    return { ...this.#head, type: 'histogram', series };
  }
}
