import { Fields, isObject, otherPart, rawPart } from './fields.js';
import { laidOut, toJsonText } from './json-text.js';
import { ofBase64, ofUrl } from './media.js';

/** @typedef {import('./conversation.d.ts').Part} Part */
/** @typedef {import('./conversation.d.ts').Result} Result */

/** Results contain content, whose blocks may be results again: not deeper than this in anything real. */
const maxDepth = 4;

/**
 * The content of a message of OpenAI or Anthropic: a text, or blocks whose `type` says what they are. The types of the two do not
 * clash, so one reader knows them all.
 *
 * @param {unknown} content
 * @param {number} [depth]
 * @returns {Part[]}
 */
export function readContent(content, depth = 0) {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }];
  if (!Array.isArray(content))
    return isObject(content) && depth < maxDepth ? readBlock(content, depth) : rawPart(content);
  if (depth >= maxDepth) return rawPart(content);
  return content.flatMap((block) => {
    if (typeof block === 'string') return readContent(block);
    return isObject(block) ? readBlock(block, depth) : rawPart(block);
  });
}

/** @param {Record<string, unknown>} block @param {number} depth @returns {Part[]} */
function readBlock(block, depth) {
  const { type } = block;
  if (typeof type !== 'string') return rawPart(block);
  const fields = new Fields(block);
  const known = readers[type];
  // Of a type that it only guesses, it is shown.
  if (known !== undefined) fields.take('type');
  const read = known ?? (type.endsWith('tool_use') ? readCall : type.endsWith('tool_result') ? readResult : null);
  const parts = read?.(fields, depth, type) ?? [];
  // Of nothing that it knows, it is shown as it is.
  return parts.length === 0 ? rawPart(block) : [...parts, ...otherPart(fields.rest())];
}

/** @typedef {(fields: Fields, depth: number, type: string) => Part[]} Reader */

/** @param {'text' | 'reasoning' | 'refusal'} kind @param {string} name @returns {Reader} */
const textIn = (kind, name) => (fields) => {
  const text = fields.text(name);
  return text === null ? [] : [{ kind, text }];
};

/** By the block's type. @type {Record<string, Reader | undefined>} */
const readers = Object.assign(Object.create(null), {
  text: textIn('text', 'text'),
  input_text: textIn('text', 'text'),
  output_text: textIn('text', 'text'),
  summary_text: textIn('reasoning', 'text'),
  reasoning_text: textIn('reasoning', 'text'),
  thinking: textIn('reasoning', 'thinking'),
  refusal: textIn('refusal', 'refusal'),
  redacted_thinking: readRedacted,
  image_url: readImageUrl,
  input_image: readInputImage,
  input_audio: readInputAudio,
  file: readFile,
  input_file: readFile,
  image: readSource,
  document: readSource,
  tool_use: readCall,
  tool_result: readResult,
});

/** @type {Reader} */
function readRedacted(fields) {
  const data = fields.text('data');
  return data === null ? [] : [ofBase64(data, { name: 'encrypted reasoning' })];
}

/** @type {Reader} */
function readImageUrl(fields) {
  const direct = fields.text('image_url');
  if (direct !== null) return [ofUrl(direct, 'image')];
  const image = fields.object('image_url');
  if (image === null) return [];
  const within = new Fields(image);
  const url = within.text('url');
  return [...(url === null ? [] : [ofUrl(url, 'image')]), ...otherPart(within.rest())];
}

/** @type {Reader} */
function readInputImage(fields) {
  const url = fields.text('image_url');
  if (url !== null) return [ofUrl(url, 'image')];
  const id = fields.text('file_id');
  return id === null ? [] : [{ kind: 'media', media: 'image', type: null, bytes: null, name: id }];
}

/** @type {Reader} */
function readInputAudio(fields) {
  const audio = fields.object('input_audio');
  const within = audio === null ? fields : new Fields(audio);
  const data = within.text('data');
  if (data === null) return audio === null ? [] : rawPart(audio);
  const format = within.text('format');
  const rest = audio === null ? [] : otherPart(within.rest());
  return [ofBase64(data, { type: format === null ? null : `audio/${format}`, media: 'audio' }), ...rest];
}

/** @type {Reader} */
function readFile(fields) {
  const file = fields.object('file');
  const within = file === null ? fields : new Fields(file);
  const name = within.text('filename');
  const data = within.text('file_data');
  const elsewhere = data === null ? within.text('file_url', 'file_id') : null;
  if (data === null && elsewhere === null && name === null) return file === null ? [] : rawPart(file);
  /** @type {Part} */
  const part =
    data === null
      ? { kind: 'media', media: 'file', type: null, bytes: null, name: elsewhere ?? name }
      : data.startsWith('data:')
        ? { ...ofUrl(data, 'file'), name }
        : ofBase64(data, { name, media: 'file' });
  /** @type {import('./conversation.d.ts').Field[]} */
  const unnamed = data === null && elsewhere !== null && name !== null ? [{ name: 'filename', text: name }] : [];
  return [part, ...otherPart([...unnamed, ...(file === null ? [] : within.rest())])];
}

/** An image or a document of Anthropic, with its source. @type {Reader} */
function readSource(fields, depth, type) {
  const media = type === 'image' ? 'image' : 'file';
  const title = fields.text('title');
  const source = fields.object('source');
  if (source === null) return title === null ? [] : [{ kind: 'media', media, type: null, bytes: null, name: title }];
  const within = new Fields(source);
  for (const known of ['base64', 'url', 'file', 'text', 'content']) within.is('type', known);
  const mime = within.text('media_type');
  const data = within.text('data');
  /** @type {Part[]} */
  let parts;
  if (data !== null && source['type'] === 'text') parts = [{ kind: 'text', text: data }];
  else if (data !== null) parts = [ofBase64(data, { type: mime, name: title, media })];
  else if (within.has('content')) parts = readContent(within.take('content'), depth + 1);
  else {
    const name = within.text('url', 'file_id');
    parts = [{ kind: 'media', media, type: mime, bytes: null, name: name ?? title }];
  }
  const isTitled = title === null || parts.some((part) => part.kind === 'media' && part.name === title);
  return [...parts, ...otherPart([...(isTitled ? [] : [{ name: 'title', text: title }]), ...within.rest()])];
}

/** A call of a tool, of Anthropic. @type {Reader} */
function readCall(fields, _depth, type) {
  const [id, name] = [fields.text('id'), fields.text('name')];
  const input = fields.has('input') ? toInput(fields.take('input')) : '';
  return [toCall({ id, name: name ?? type, input, others: fields })];
}

/** @type {Reader} */
function readResult(fields, depth) {
  const callId = fields.text('tool_use_id');
  const isError = fields.is('is_error', true);
  fields.is('is_error', false);
  return [toResult({ callId, isError, parts: readContent(fields.take('content'), depth + 1) })];
}

/** What a tool is called with: an object, or the text that the model wrote. @param {unknown} input */
export function toInput(input) {
  return typeof input === 'string' ? laidOut(input) : toJsonText(input);
}

/**
 * @param {{ id: string | null, name: string, input: string, others?: Fields | null, result?: Result | null }} call others: the call's
 *   fields, of which it takes those that are left
 * @returns {Part}
 */
export function toCall({ id, name, input, others = null, result = null }) {
  const left = others?.rest() ?? [];
  for (const { name: taken } of left) others?.take(taken);
  return { kind: 'call', id, name, input, others: left, result };
}

/**
 * @param {{ callId: string | null, name?: string | null, isError?: boolean, parts: Part[] }} result
 * @returns {Result}
 */
export function toResult({ callId, name = null, isError = false, parts }) {
  return { kind: 'result', callId, name, isError, parts };
}
