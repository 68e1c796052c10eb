import { el } from '../lib/dom.js';
import { ago, isEstimate, nothing, percent, rowsText, runs, time } from '../lib/format.js';
import { hrefTo } from '../lib/route.js';

/** Small parts that many views consist of. */

/** @typedef {import('../types.d.ts').Tally} Tally */
/** @typedef {import('../types.d.ts').Estimate} Estimate */
/** @typedef {import('../lib/dom.js').Child} Child */

/**
 * A part of a view under a heading.
 *
 * @param {string} title
 * @param {{ note?: Child, class?: string, key?: string, actions?: Child }} options
 * @param {...Child} children
 */
export function card(title, { note = null, class: className = '', key, actions = null }, ...children) {
  const id = `card-${(key ?? title).toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
  return el(
    'section',
    { class: `card ${className}`.trim(), key: key ?? title, 'aria-labelledby': id },
    el(
      'div',
      { class: 'card-head' },
      el('h2', { id }, title),
      note ? el('p', { class: 'note' }, note) : null,
      actions ? el('div', { class: 'card-actions' }, actions) : null,
    ),
    ...children,
  );
}

/**
 * One figure with its name.
 *
 * @param {string} name
 * @param {Child} value
 * @param {Child} [detail]
 * @param {'good' | 'bad' | 'warn' | null} [tone]
 */
export function figure(name, value, detail = null, tone = null) {
  return el(
    'div',
    { class: `figure${tone ? ` tone-${tone}` : ''}`, key: name },
    el('dt', null, name),
    el(
      'dd',
      null,
      el('span', { class: 'figure-value' }, value),
      detail ? el('span', { class: 'figure-detail' }, detail) : null,
    ),
  );
}

/** Names with their values. @param {readonly [name: string, value: Child][]} facts */
export function factsCard(facts) {
  return card(
    'Facts',
    { key: 'facts' },
    el(
      'dl',
      { class: 'facts' },
      facts.map(([name, value]) => el('div', null, el('dt', null, name), el('dd', null, value))),
    ),
  );
}

/** @param {...Child} figures */
export function figures(...figures) {
  return el('dl', { class: 'figures' }, ...figures);
}

/** Runs and the stored rows behind them. @param {Tally} tally */
export function tallyText(tally) {
  return isEstimate(tally)
    ? el(
        'span',
        { title: `estimated from ${rowsText(tally.rows)}` },
        runs(tally),
        el('small', null, ` ${rowsText(tally.rows)}`),
      )
    : el('span', null, runs(tally));
}

/** @param {boolean} is */
export function tooFewMark(is, text = 'too few rows') {
  return is ? el('span', { class: 'mark', title: 'Too few stored rows to draw conclusions from' }, text) : null;
}

/** A rate, marked as approximate if it is an estimate. @param {Estimate} estimate */
export function rateText({ value, margin }) {
  return `${margin ? '≈ ' : ''}${percent(value)}`;
}

/** How far a rate may be off. @param {Estimate} estimate */
export function marginText({ value, margin, tooFew }) {
  return [tooFewMark(tooFew && value !== null, 'few rows'), ` ${margin ? `± ${percent(margin)}` : nothing}`];
}

/** @param {string} status */
export function statusBadge(status) {
  return el('span', { class: `badge status-${status}` }, status.replaceAll('_', ' '));
}

/**
 * @param {string | null} when
 * @param {number} [nowMs] if given, the text says how long ago it was
 */
export function timeText(when, nowMs) {
  if (when === null) return el('span', { class: 'quiet' }, nothing);
  return el(
    'time',
    { datetime: when, title: nowMs === undefined ? when : `${time(when)} · ${when}` },
    nowMs === undefined ? time(when) : ago(when, nowMs),
  );
}

/** @param {string} title @param {string} text @param {...Child} more */
export function emptyState(title, text, ...more) {
  return el('div', { class: 'empty' }, el('p', { class: 'empty-title' }, title), el('p', null, text), ...more);
}

/** Why a run ended as it did. A long message scrolls, so that what follows stays visible. @param {string | null} text */
export function outcomeMessage(text) {
  if (text === null) return null;
  return el('p', { class: 'outcome-message', tabindex: 0, role: 'region', 'aria-label': 'Message' }, text);
}

/** An identifier, which may be long. @param {string | null} value */
export function idText(value) {
  return value === null ? el('span', { class: 'quiet' }, nothing) : el('code', { class: 'id', title: value }, value);
}

/**
 * What people call whoever has an id, to be shown beside it. It is a text whose direction changes nothing around it.
 *
 * @param {string | null | undefined} name
 */
export function nameText(name) {
  return name == null ? null : [' ', el('bdi', { class: 'display-name', title: name }, name)];
}

/** A trace of OpenTelemetry, which leads to what belongs to it. @param {string | null} traceId @param {import('../lib/route.js').Route} route */
export function traceText(traceId, route) {
  return traceId === null
    ? idText(traceId)
    : el('a', { href: hrefTo(route, 'strategies', { trace: traceId }) }, idText(traceId));
}

/**
 * @param {string} label
 * @param {(event: any) => void} onClick
 * @param {{ kind?: 'primary' | 'danger' | 'plain' | 'small', disabled?: boolean, key?: string, describe?: string }} [options]
 */
export function button(label, onClick, { kind = 'plain', disabled = false, key, describe } = {}) {
  return el(
    'button',
    { type: 'button', class: `button ${kind}`, disabled, key, 'aria-label': describe, onClick },
    label,
  );
}
