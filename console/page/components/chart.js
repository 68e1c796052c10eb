import uPlot from '/vendor/uplot.js';
import { append, el } from '../lib/dom.js';
import { time } from '../lib/format.js';
import { asWidget, show } from '../lib/patch.js';
import { plotOptions } from './plot-options.js';

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} color a custom property of the style sheet, such as --ok
 * @property {(number | null)[]} values
 */

/**
 * @typedef {object} ChartProps
 * @property {string} title
 * @property {string} summary in a sentence, for those who do not see it
 * @property {number[]} times seconds since 1970
 * @property {Line[]} lines
 * @property {'lines' | 'stack'} kind
 * @property {boolean} [isLog]
 * @property {{ value: number, name: string }} [threshold]
 * @property {number} [minSpanSeconds] of the time that is shown
 * @property {boolean} [isLow] one of many, and not the matter of its view
 * @property {(value: number | null) => string} write a value as text
 * @property {(since: number, until: number) => void} [onSelect] a part of the time was drawn over, in seconds
 * @property {(line: number, index: number) => string | null} [remark] on a value, in the table
 */

/**
 * A chart over time, with its values as a table beside it.
 *
 * @param {ChartProps} props
 */
export function chart(props) {
  const host = el('figure', { class: 'chart', 'aria-label': props.title });
  /** @type {uPlot | null} */
  let plot = null;
  let shown = '';
  const legend = el('ul', { class: 'legend', 'aria-hidden': 'true' });
  const canvas = el('div', { class: 'plot', role: 'img' });
  const values = el('details', { class: 'values' });
  const resized = new ResizeObserver(() => resize());
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  const redraw = () => plot?.redraw();

  const resize = () => {
    const width = Math.floor(canvas.clientWidth);
    if (width > 0 && plot !== null && plot.width !== width) plot.setSize({ width, height: heightFor(width, props) });
  };
  /** @param {number | null} index */
  const showLegend = (index) => {
    legend.replaceChildren(
      el('li', { class: 'legend-time' }, index === null ? '' : time((props.times[index] ?? 0) * 1_000)),
      ...props.lines.map(({ name, color, values: given }) =>
        el(
          'li',
          null,
          el('span', { class: 'swatch', style: { background: `var(${color})` } }),
          name,
          index === null ? null : el('b', null, ` ${props.write(given[index] ?? null)}`),
        ),
      ),
      ...(props.threshold === undefined
        ? []
        : [el('li', null, el('span', { class: 'swatch dashed' }), props.threshold.name)]),
    );
  };
  const showValues = () => {
    show(values, el('summary', null, 'Values'), ...(values.open ? [valuesTable(props)] : []));
  };
  const draw = () => {
    canvas.setAttribute('aria-label', `${props.title}: ${props.summary}`);
    const options = plotOptions(props, {
      width: Math.max(200, canvas.clientWidth),
      onCursor: showLegend,
      onSelect: (since, until) => props.onSelect?.(since, until),
    });
    const layers = props.kind === 'stack' ? sums(props.lines) : props.lines.map(({ values: given }) => given);
    const times = props.kind === 'stack' ? evened(props.times) : props.times;
    const data = /** @type {uPlot.AlignedData} */ ([times, ...layers.toReversed()]);
    // The scales follow the data, unless there are other lines.
    const shape = JSON.stringify([props.kind, props.isLog, props.lines.map(({ name }) => name)]);
    if (plot !== null && shape === shown) plot.setData(data);
    else {
      plot?.destroy();
      plot = new uPlot({ ...options, height: heightFor(options.width, props) }, data, canvas);
      shown = shape;
    }
    widen(plot, props);
    // Whoever points at a value goes on reading it.
    showLegend(plot.cursor.idx ?? null);
    showValues();
  };

  append(host, [legend, canvas, values]);
  values.addEventListener('toggle', showValues);
  return asWidget(host, {
    kind: 'chart',
    get props() {
      return props;
    },
    mount() {
      draw();
      resized.observe(canvas);
      scheme.addEventListener('change', redraw);
    },
    update(next) {
      props = next;
      draw();
    },
    destroy() {
      resized.disconnect();
      scheme.removeEventListener('change', redraw);
      plot?.destroy();
      plot = null;
    },
  });
}

/** @param {number} width @param {ChartProps} props */
function heightFor(width, { isLow = false }) {
  if (isLow) return 130;
  return width < 500 ? 170 : 210;
}

/**
 * Little time is shown as a part of more: uPlot makes years of a single moment.
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
 * The first bucket begins with the window, and so within its step: uPlot would draw all bars as narrow as that one.
 *
 * @param {number[]} times
 */
function evened(times) {
  const [first, second, third] = times;
  if (first === undefined || second === undefined || third === undefined) return times;
  return [Math.min(first, second - (third - second)), ...times.slice(1)];
}

/**
 * The sums from the first line on: a part of a stack begins where the one below it ends.
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
  return el(
    'div',
    { class: 'table-scroll', role: 'region', tabindex: '0', 'aria-label': `${title}, values` },
    el(
      'table',
      null,
      el(
        'thead',
        null,
        el(
          'tr',
          null,
          el('th', { scope: 'col' }, 'From'),
          lines.map(({ name }) => el('th', { scope: 'col', class: 'number' }, name)),
        ),
      ),
      el(
        'tbody',
        null,
        times.map((seconds, index) =>
          el(
            'tr',
            null,
            el('th', { scope: 'row' }, time(seconds * 1_000)),
            lines.map(({ values }, line) =>
              el(
                'td',
                { class: 'number' },
                write(values[index] ?? null),
                remark?.(line, index) ? el('span', { class: 'mark' }, remark(line, index)) : null,
              ),
            ),
          ),
        ),
      ),
    ),
  );
}
