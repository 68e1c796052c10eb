import { Readable } from 'node:stream';

/** Told how a result ends; only the first call counts. */
export interface ResultListener {
  succeed(): void;
  fail(thrown: unknown): void;
  /** the reader has stopped before the end, for example because a client went away */
  abandon(): void;
}

/**
 * Tells the listener when a result ends:
 * - a promise when it settles; if it resolves to one of the following, when that ends
 * - a generator (sync or async), a web stream or the body of a Response when it is read to its end, fails or is given up
 * - a Node stream, such as the response of a server, when it is closed
 * - anything else at once. This includes a stream that somebody already reads, and a Response that was fetched: what follows
 *   is not part of the work.
 *
 * @returns the result itself, or one that behaves in the same way
 */
export function observeResult<T>(result: T, listener: ResultListener): T {
  switch (kindOf(result)) {
    case 'promise':
      return (result as unknown as PromiseLike<unknown>).then(
        (value) => observeResult(value, listener),
        (thrown: unknown) => {
          listener.fail(thrown);
          throw thrown;
        },
      ) as T;
    case 'generator':
      return observeGenerator(result as unknown as Generator, listener) as T;
    case 'async generator':
      return observeAsyncGenerator(result as unknown as AsyncGenerator, listener) as T;
    case 'web stream':
      return observeWebStream(result as unknown as ReadableStream<unknown>, listener) as T;
    case 'response': {
      const { body, status, statusText, headers } = result as unknown as Response & { body: ReadableStream };
      return new Response(observeWebStream(body, listener), { status, statusText, headers }) as T;
    }
    case 'node stream':
      observeNodeStream(result as unknown as NodeStream, listener);
      return result;
    default:
      listener.succeed();
      return result;
  }
}

type ResultKind = 'promise' | 'generator' | 'async generator' | 'web stream' | 'response' | 'node stream' | 'value';

/** Never throws: what cannot be inspected is a value. */
function kindOf(result: unknown): ResultKind {
  try {
    if (typeof result !== 'object' || result === null) return 'value';
    if (hasMethods(result, 'then')) return 'promise';
    const tag = Object.prototype.toString.call(result);
    if (tag === '[object Generator]') return 'generator';
    if (tag === '[object AsyncGenerator]') return 'async generator';
    if (isFreeWebStream(result)) return 'web stream';
    // The standard streams outlive every run.
    if (result === process.stdout || result === process.stderr) return 'value';
    if (hasMethods(result, 'pipe', 'once')) return 'node stream';
    return isOwnResponse(result) && isFreeWebStream(result.body) ? 'response' : 'value';
  } catch {
    return 'value';
  }
}

/** Whether nobody reads the stream or has read from it; otherwise it cannot be observed. */
function isFreeWebStream(value: unknown): boolean {
  return value instanceof ReadableStream && !value.locked && !Readable.isDisturbed(value as unknown as Readable);
}

/** Whether the work has created the Response, and it is not of a framework's class, whose members a copy would lack. */
function isOwnResponse(result: object): result is Response {
  const isPlain = typeof Response === 'function' && Object.getPrototypeOf(result) === Response.prototype;
  return isPlain && (result as Response).type === 'default' && (result as Response).url === '';
}

function hasMethods(value: unknown, ...names: string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}

function observeGenerator(generator: Generator, listener: ResultListener): Generator {
  const step = (take: () => IteratorResult<unknown>, isDone: () => void): IteratorResult<unknown> => {
    let taken: IteratorResult<unknown>;
    try {
      taken = take();
    } catch (thrown) {
      listener.fail(thrown);
      throw thrown;
    }
    if (taken.done) isDone();
    return taken;
  };
  return Object.assign(Object.create(Object.getPrototypeOf(generator)), {
    next: (...sent: [] | [unknown]) => step(() => generator.next(...sent), listener.succeed),
    return: (value: unknown) => step(() => generator.return(value), listener.abandon),
    throw: (thrown: unknown) => step(() => generator.throw(thrown), listener.succeed),
  });
}

function observeAsyncGenerator(generator: AsyncGenerator, listener: ResultListener): AsyncGenerator {
  const step = async (taking: Promise<IteratorResult<unknown>>, isDone: () => void) => {
    try {
      const taken = await taking;
      if (taken.done) isDone();
      return taken;
    } catch (thrown) {
      listener.fail(thrown);
      throw thrown;
    }
  };
  return Object.assign(Object.create(Object.getPrototypeOf(generator)), {
    next: (...sent: [] | [unknown]) => step(generator.next(...sent), listener.succeed),
    return: (value: unknown) => step(generator.return(value), listener.abandon),
    throw: (thrown: unknown) => step(generator.throw(thrown), listener.succeed),
  });
}

function observeWebStream<T>(stream: ReadableStream<T>, listener: ResultListener): ReadableStream<T> {
  const reader = stream.getReader();
  return new ReadableStream<T>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          controller.close();
          listener.succeed();
        } catch (thrown) {
          listener.fail(thrown);
          throw thrown;
        }
      },
      async cancel(reason) {
        listener.abandon();
        await reader.cancel(reason);
      },
    },
    // Do not read ahead of the reader.
    { highWaterMark: 0 },
  );
}

/** The state of readable and writable streams, including the response of a server. */
interface NodeStream {
  once(event: 'close', listener: () => void): void;
  closed?: boolean;
  errored?: Error | null;
  readable?: boolean;
  readableEnded?: boolean;
  writableFinished?: boolean;
  writableEnded?: boolean;
}

/** Listens only to `close`: a listener for `error` would hide an error that nobody else handles. */
function observeNodeStream(stream: NodeStream, listener: ResultListener): void {
  const tell = (): void => {
    if (stream.errored) listener.fail(stream.errored);
    // An HTTP/2 response also says that it has finished when its client has reset it.
    else if ([stream.readableEnded, stream.writableEnded, stream.writableFinished].includes(false)) listener.abandon();
    else listener.succeed();
  };
  if (stream.closed) tell();
  else stream.once('close', tell);
}
