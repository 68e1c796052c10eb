import { h } from '../../vendor/preact.js';

/** @typedef {import('preact').VNode<any>} VNode what preact creates an element from */
/** @typedef {import('preact').JSX.IntrinsicElements} Elements the attributes of each element */

/**
 * What an element may contain. preact's own type also allows any object, and with it JSON that a service has stored.
 *
 * @typedef {VNode | string | number | null | undefined | false | readonly Child[]} Child
 */

/**
 * preact's `h`. Texts stay texts: nothing on the page turns them into markup.
 *
 * @type {{
 *   <K extends keyof Elements>(tag: K, props?: Elements[K] | null, ...children: Child[]): VNode
 *   <P>(component: import('preact').ComponentClass<P, any>, props: P): VNode
 * }}
 */
export const el = h;
