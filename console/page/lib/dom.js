import { h } from '../../vendor/preact.js';

/** @typedef {import('preact').VNode<any>} VNode what preact makes an element from */
/** @typedef {import('preact').JSX.IntrinsicElements} Elements the attributes of each kind of element */

/**
 * What may be in an element. preact's own type also allows any object, and so JSON that a service has stored.
 *
 * @typedef {VNode | string | number | null | undefined | false | readonly Child[]} Child
 */

/**
 * preact's `h`. Texts stay texts: no part of the page makes markup of them.
 *
 * @type {{
 *   <K extends keyof Elements>(tag: K, props?: Elements[K] | null, ...children: Child[]): VNode
 *   <P>(component: import('preact').ComponentClass<P, any>, props: P): VNode
 * }}
 */
export const el = h;
