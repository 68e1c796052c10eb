/**
 * Elements are made here and nowhere else, from text and never from markup: what a service has stored cannot become a tag.
 */

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {(event: any) => void} Handler */
/**
 * @typedef {object} SpecialProps
 * @property {string | null | undefined} [class]
 * @property {string | null | undefined} [key] names the element among its siblings, so that a refresh finds it again
 * @property {Record<string, Handler>} [on] by type of event
 * @property {Record<string, string>} [style] custom properties; set through the CSSOM, which a strict CSP allows
 */
/** @typedef {SpecialProps & Record<string, any>} Props attributes: true is an empty one, false and null are none */

/** @type {WeakMap<Node, Record<string, Handler>>} */
const handlers = new WeakMap();

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props | null} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, props = null, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(element, name, value);
  append(element, children);
  return element;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {any} value
 */
function setProp(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === 'on') setHandlers(element, value);
  else if (name === 'style') {
    for (const [property, text] of Object.entries(value)) {
      /** @type {HTMLElement} */ (element).style.setProperty(property, String(text));
    }
  } else if (name === 'key') element.setAttribute('data-key', value);
  else element.setAttribute(name, value === true ? '' : String(value));
}

/**
 * @param {ParentNode} parent
 * @param {(Child | Child[])[]} children
 */
export function append(parent, children) {
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false)
      parent.append(child instanceof Node ? child : `${child}`);
  }
}

/**
 * Handlers are looked up when the event comes, so that a refresh can change them without adding a second one.
 *
 * @param {Element} element
 * @param {Record<string, Handler>} next
 */
export function setHandlers(element, next) {
  const known = handlers.get(element) ?? {};
  for (const type of Object.keys(next)) {
    if (!(type in known)) element.addEventListener(type, (event) => handlers.get(element)?.[type]?.(event));
  }
  handlers.set(element, { ...Object.fromEntries(Object.keys(known).map((type) => [type, () => {}])), ...next });
}

/**
 * @param {Element} element
 * @returns {Record<string, Handler>}
 */
export function handlersOf(element) {
  return handlers.get(element) ?? {};
}
