import { Component, createRef } from '../../vendor/preact.js';
import uPlot from '../../vendor/uplot.js';
import { el } from '../lib/dom.js';
import { time } from '../lib/format.js';
import { timeText } from './parts.js';
import { plotOptions } from './plot-options.js';
import { table } from './table.js';

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} color a custom property of the style sheet, such as --ok
 * @property {(number | null)[]} values
 */

/**
 * @typedef {object} ChartProps
 * @property {string} title
 * @property {string} summary in a sentence, for screen readers
 * @property {number[]} times seconds since 1970
 * @property {Line[]} lines
 * @property {'lines' | 'stack'} kind
 * @property {boolean} [isLog]
 * @property {boolean} [isFractional] the values are no whole numbers, such as money
 * @property {{ value: number, name: string }} [threshold]
 * @property {number} [minSpanSeconds] the shortest span of time that is shown
 * @property {boolean} [isLow] one of many, and not the main subject of its view
 * @property {(value: number | null) => string} write a value as text
 * @property {(since: number, until: number) => void} [onSelect] the reader selected a span of time, in seconds
 * @property {(line: number, index: number) => string | null} [remark] about a value, in the table
 */

/**
 * A chart over time, with its values as a table below it.
 *
 * @param {ChartProps} props
 */
export function chart(props) {
  return el(Chart, props);
}

/** @extends {Component<ChartProps, { pointedAt: number | null, isOpen: boolean }>} */
class Chart extends Component {
  /** @override */
  state = { pointedAt: null, isOpen: false };
  #canvas = /** @type {import('preact').RefObject<HTMLDivElement>} */ (createRef());
  /** @type {uPlot | null} */
  #plot = null;
  #shown = '';
  #resized = new ResizeObserver(() => this.#resize());
  #scheme = matchMedia('(prefers-color-scheme: dark)');
  #redraw = () => this.#plot?.redraw();

  /** @override */
  componentDidMount() {
    this.#draw();
    this.#resized.observe(this.#canvas.current);
    this.#scheme.addEventListener('change', this.#redraw);
  }

  /** @override @param {ChartProps} before */
  componentDidUpdate(before) {
    if (before !== this.props) this.#draw();
  }

  /** @override */
  componentWillUnmount() {
    this.#resized.disconnect();
    this.#scheme.removeEventListener('change', this.#redraw);
    this.#plot?.destroy();
  }

  #resize() {
    const [width, plot] = [Math.floor(this.#canvas.current.clientWidth), this.#plot];
    if (width > 0 && plot !== null && plot.width !== width)
      plot.setSize({ width, height: heightFor(width, this.props) });
  }

  #draw() {
    const { props } = this;
    const options = plotOptions(props, {
      width: Math.max(200, this.#canvas.current.clientWidth),
      onCursor: (index) => this.#pointAt(index),
      onSelect: (since, until) => this.props.onSelect?.(since, until),
    });
    const layers = props.kind === 'stack' ? sums(props.lines) : props.lines.map(({ values: given }) => given);
    const times = props.kind === 'stack' ? evened(props.times) : props.times;
    const data = /** @type {uPlot.AlignedData} */ ([times, ...layers.toReversed()]);
    // The scales follow the data, unless the lines themselves have changed.
    const shape = JSON.stringify([props.kind, props.isLog, props.isFractional, props.lines.map(({ name }) => name)]);
    if (this.#plot !== null && shape === this.#shown) this.#plot.setData(data);
    else {
      this.#plot?.destroy();
      this.#plot = new uPlot({ ...options, height: heightFor(options.width, props) }, data, this.#canvas.current);
      this.#shown = shape;
    }
    widen(this.#plot, props);
    // A reader who points at a value keeps seeing it.
    this.#pointAt(this.#plot.cursor.idx ?? null);
  }

  /** @param {number | null} index */
  #pointAt(index) {
    if (index !== this.state.pointedAt) this.setState({ pointedAt: index });
  }

  /** @override @param {ChartProps} props */
  render(props) {
    const { pointedAt, isOpen } = this.state;
    return el(
      'figure',
      { class: 'chart', 'aria-label': props.title },
      legend(props, pointedAt),
      el('div', { class: 'plot', role: 'img', 'aria-label': `${props.title}: ${props.summary}`, ref: this.#canvas }),
      el(
        'details',
        { class: 'values', onToggle: ({ currentTarget }) => this.setState({ isOpen: currentTarget.open }) },
        el('summary', null, 'Values'),
        isOpen ? valuesTable(props) : null,
      ),
    );
  }
}

/** @param {ChartProps} props @param {number | null} pointedAt */
function legend({ times, lines, threshold, write }, pointedAt) {
  return el(
    'ul',
    { class: 'legend', 'aria-hidden': true },
    el('li', { class: 'legend-time' }, pointedAt === null ? '' : time((times[pointedAt] ?? 0) * 1_000)),
    lines.map(({ name, color, values }) =>
      el(
        'li',
        null,
        el('span', { class: 'swatch', style: { background: `var(${color})` } }),
        name,
        pointedAt === null ? null : el('b', null, ` ${write(values[pointedAt] ?? null)}`),
      ),
    ),
    threshold === undefined ? null : el('li', null, el('span', { class: 'swatch dashed' }), threshold.name),
  );
}

/** @param {number} width @param {ChartProps} props */
function heightFor(width, { isLow = false }) {
  if (isLow) return 130;
  return width < 500 ? 170 : 210;
}

/**
 * Shows a short time as part of a longer one: uPlot would show a single moment as years.
 *
 * @param {uPlot} plot
 * @param {ChartProps} props
 */
function widen(plot, { times, minSpanSeconds = 0 }) {
  const [first, last] = [times[0], times.at(-1)];
  if (first !== undefined && last !== undefined && last - first < minSpanSeconds) {
    plot.setScale('x', { min: last - minSpanSeconds, max: last });
  }
}

/**
 * The first bucket begins where the window does, inside its step. uPlot would draw all bars as narrow as that one.
 *
 * @param {number[]} times
 */
function evened(times) {
  const [first, second, third] = times;
  if (first === undefined || second === undefined || third === undefined) return times;
  return [Math.min(first, second - (third - second)), ...times.slice(1)];
}

/**
 * Cumulative sums from the first line on: each part of a stack begins where the one below it ends.
 *
 * @param {Line[]} lines
 */
function sums(lines) {
  let so = (lines[0]?.values ?? []).map(() => 0);
  return lines.map(({ values }) => {
    so = so.map((sum, index) => sum + (values[index] ?? 0));
    return so;
  });
}

/** @param {ChartProps} props */
function valuesTable({ title, times, lines, write, remark }) {
  return table({
    caption: `${title}, values`,
    rows: times.map((seconds, index) => ({ at: new Date(seconds * 1_000).toISOString(), index })),
    keyOf: ({ at }) => at,
    columns: [
      { name: 'From', isHead: true, class: 'nowrap', cell: ({ at }) => timeText(at) },
      ...lines.map(({ name, values }, line) => ({
        name,
        isNumber: true,
        cell: (/** @type {{ index: number }} */ { index }) => [
          write(values[index] ?? null),
          remark?.(line, index) ? el('span', { class: 'mark' }, remark(line, index)) : null,
        ],
        csv: (/** @type {{ index: number }} */ { index }) => values[index],
      })),
    ],
  });
}
