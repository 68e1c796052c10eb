import uPlot from '../../vendor/uplot.js';
import { compact, time } from '../lib/format.js';

/** @typedef {import('./chart.js').ChartProps} ChartProps */

const pointSize = 5;

/**
 * The options for uPlot. It reads colours when it draws, so that they follow the reader's colour scheme.
 *
 * @param {ChartProps} props
 * @param {{ width: number, onCursor(index: number | null): void, onSelect(since: number, until: number): void }} options
 * @returns {Omit<uPlot.Options, 'height'>}
 */
export function plotOptions(
  { lines, kind, isLog = false, isFractional = false, threshold, write, onSelect: select },
  { width, onCursor, onSelect },
) {
  const isStack = kind === 'stack';
  // The first line is drawn last: lower parts of a stack over the sums, low percentiles over high ones.
  const drawn = lines.toReversed();
  return {
    width,
    legend: { show: false },
    cursor: { y: false, points: { show: !isStack }, drag: { x: select !== undefined, y: false, setScale: false } },
    padding: [8, 20, 0, 0],
    scales: {
      x: { time: true },
      y: isLog
        ? { distr: 3, range: (_plot, min, max) => logRange(min, max, threshold?.value) }
        : { range: (_plot, _min, max) => [0, (isFractional && max ? max : Math.max(max ?? 0, 1)) * 1.05] },
    },
    axes: [
      axis({ space: 64, size: 56, values: (_plot, ticks, _axis, _space, step) => timeLabels(ticks, step) }),
      axis({
        size: isLog ? 66 : 56,
        space: 28,
        ...(isLog ? { grid: { ...grid, filter: wholePowers } } : isFractional ? {} : { incrs: wholeSteps }),
        values: (_plot, ticks) =>
          ticks.map((tick) => (tick === null ? '' : isLog || isFractional ? write(tick) : compact(tick))),
      }),
    ],
    series: [
      {},
      ...drawn.map(({ color }, index) => ({
        stroke: () => cssValue(color),
        // A line below another is wider, so that both are visible.
        width: isStack ? 0 : 1.5 + 0.8 * (drawn.length - 1 - index),
        ...(isStack
          ? { fill: () => cssValue(color), paths: barPaths(), points: { show: false } }
          : { points: isolatedPoints(color) }),
      })),
    ],
    hooks: {
      setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          const { left, width: wide } = plot.select;
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          if (wide > 0) onSelect(plot.posToVal(left, 'x'), plot.posToVal(left + wide, 'x'));
        },
      ],
      draw: threshold === undefined ? [] : [(plot) => drawThreshold(plot, threshold.value)],
    },
  };
}

/** Counts of jobs and runs are integers. */
const wholeSteps = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power));

/**
 * Times in the reader's time zone. The day is under the first one and under each one on another day, and so is the zone's
 * offset, which changes with the clocks.
 *
 * @param {number[]} ticks
 * @param {number} step in seconds
 */
function timeLabels(ticks, step) {
  let [day, zone] = ['', ''];
  return ticks.map((tick) => {
    const [date = '', clock = '', offset = ''] = time(tick * 1_000).split(' ');
    const isOther = { day: date !== day && step < 86_400, zone: offset !== zone };
    [day, zone] = [date, offset];
    const main = step >= 86_400 ? date.slice(5) : clock.slice(0, step < 60 ? 8 : 5);
    if (!isOther.day && !isOther.zone) return main;
    return step >= 86_400 ? `${main}\n${offset}` : `${main}\n${date.slice(5)}${isOther.zone ? `\n${offset}` : ''}`;
  });
}

const grid = { stroke: () => cssValue('--line'), width: 1 };

/** Nine lines in each power of ten would look like a grey background. @param {uPlot} _plot @param {number[]} ticks */
function wholePowers(_plot, ticks) {
  return ticks.map((tick) => (Math.abs(Math.log10(tick) - Math.round(Math.log10(tick))) < 1e-6 ? tick : null));
}

/** @param {Partial<uPlot.Axis>} own @returns {uPlot.Axis} */
function axis(own) {
  return {
    stroke: () => cssValue('--text-quiet'),
    font: '12px system-ui, sans-serif',
    grid,
    ticks: { show: false },
    ...own,
  };
}

function barPaths() {
  return uPlot.paths.bars?.({ size: [0.86, 64], align: 1 }) ?? (() => null);
}

/**
 * A value whose neighbours are missing would be a line without length.
 *
 * @param {string} color
 * @returns {uPlot.Series.Points}
 */
function isolatedPoints(color) {
  return {
    show: true,
    size: pointSize,
    stroke: () => cssValue(color),
    fill: () => cssValue(color),
    filter: (plot, series) => {
      const values = plot.data[series] ?? [];
      return [...values.keys()].filter(
        (index) => values[index] != null && values[index - 1] == null && values[index + 1] == null,
      );
    },
  };
}

/**
 * Whole powers of ten around the values and the threshold.
 *
 * @param {number | null} min
 * @param {number | null} max
 * @param {number} [threshold]
 * @returns {[number, number]}
 */
function logRange(min, max, threshold = 1) {
  const low = Math.max(0.001, Math.min(min ?? 1, threshold));
  const high = Math.max(max ?? 1, threshold * 1.6);
  return [10 ** Math.floor(Math.log10(low)), high * 1.15];
}

/**
 * @param {uPlot} plot
 * @param {number} value
 */
function drawThreshold(plot, value) {
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(value, 'y', true)) + 0.5;
  ctx.save();
  ctx.strokeStyle = cssValue('--bad');
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

/** @param {string} name */
function cssValue(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
