/** What a log says of an error, and nothing else: a client may hang whole commands, rows and passwords on its errors. */
export interface LoggedError {
  type: string;
  /** with those of its causes. Without values that were sent, passwords and whole texts that were read */
  message: string;
  code?: string | number;
  /** where it was made, and where its causes were: places in the source only */
  stack: string;
}

const maxMessageChars = 1_000;
const maxCauses = 5;

/**
 * Makes of whatever was thrown what may stand in a log. Total: never throws, whatever it is given.
 *
 * @param sayOf what an error says, without what it quotes. @default sayPlainly
 */
export function reportError(thrown: unknown, sayOf: (error: Error) => string = sayPlainly): LoggedError {
  const chain = chainOf(thrown, sayOf);
  const code = chain.map(({ code }) => code).find((found) => found !== undefined);
  return {
    type: chain[0]?.type ?? 'unknown',
    message: chain.flatMap(({ message }) => (message === '' ? [] : [message])).join(': '),
    ...(code === undefined ? {} : { code }),
    stack: chain.map(({ type, message, stack }) => `${type}: ${message}${stack}`).join('\ncaused by: '),
  };
}

type Link = Required<Pick<LoggedError, 'type' | 'message' | 'stack'>> & { code: string | number | undefined };

/** An error and what is behind it. */
function chainOf(thrown: unknown, sayOf: (error: Error) => string): Link[] {
  const links: Link[] = [];
  const open: unknown[] = [thrown];
  const seen = new Set<unknown>();
  while (open.length > 0 && links.length <= maxCauses) {
    const next = open.shift();
    if (seen.has(next)) continue;
    seen.add(next);
    try {
      if (!(next instanceof Error)) {
        if (links.length === 0) links.push({ ...noError, message: `a ${typeof next} was thrown` });
        continue;
      }
      links.push(toLink(next, sayOf));
      const { errors } = next as AggregateError;
      open.push(next.cause, ...(Array.isArray(errors) ? errors.slice(0, maxCauses) : []));
    } catch {
      links.push({ ...noError, message: 'an error that cannot be read' });
    }
  }
  return links;
}

const noError = { type: 'unknown', code: undefined, stack: '' };

function toLink(error: Error, sayOf: (error: Error) => string): Link {
  const { code, stack } = error as NodeJS.ErrnoException;
  const frames = typeof stack === 'string' ? stack.split('\n').filter((line) => /^\s+at /.test(line)) : [];
  return {
    type: nameOf(error),
    message: withoutPasswords(sayOf(error)),
    code: typeof code === 'number' || (typeof code === 'string' && /^[\w.-]{1,64}$/.test(code)) ? code : undefined,
    stack: frames.map((line) => `\n${line}`).join(''),
  };
}

function nameOf(error: Error): string {
  const ownName = error.name === 'Error' ? error.constructor.name : error.name;
  return /^\w{1,64}$/.test(ownName) ? ownName : 'Error';
}

/** What an error of Node's or of a Redis client says, without what it quotes. */
export function sayPlainly(error: Error): string {
  const { message } = error;
  // A text that was to be parsed, or what was given for an argument.
  if (error.name === 'SyntaxError') return message.replaceAll(/(["']).*\1/gs, '"…"');
  if (error.name === 'ZodError' || error.name === '$ZodError') return 'a value is not of the expected form';
  if (/^ERR_INVALID_ARG/.test(String((error as NodeJS.ErrnoException).code)))
    return message.replace(/Received .*/s, '');
  return withoutArguments(message);
}

/** Takes passwords out of URLs, and what is too long. */
export function withoutPasswords(text: string): string {
  return text.replaceAll(/\/\/[^\s/@]*@/g, '//…@').slice(0, maxMessageChars);
}

/** Redis repeats the arguments of a command that it does not know. */
export function withoutArguments(message: string): string {
  return message.replace(/,? with args beginning with:.*/s, '');
}
