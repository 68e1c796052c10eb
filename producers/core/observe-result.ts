import { Readable } from 'node:stream';

/** What is told of a result that goes on after the work has returned it; only the first call counts. */
export interface ResultListener {
  succeed(): void;
  fail(thrown: unknown): void;
  /** whoever reads it has stopped before its end, as when a client goes away */
  abandon(): void;
}

/**
 * Has the listener hear when a result ends: a promise when it settles, also to one of the following; a generator, of either
 * kind, and a stream of the web or the body of a Response when they are read to their end, fail or are given up; a stream of
 * Node's, such as the response of a server, when it is closed; anything else at once. So does what somebody reads already, and a
 * Response that was fetched: what comes after it is not the work's.
 *
 * @returns what the caller gets: the result itself, or one that behaves as it does
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

/** Total: what cannot be read is a value. */
function kindOf(result: unknown): ResultKind {
  try {
    if (typeof result !== 'object' || result === null) return 'value';
    if (hasMethods(result, 'then')) return 'promise';
    const tag = Object.prototype.toString.call(result);
    if (tag === '[object Generator]') return 'generator';
    if (tag === '[object AsyncGenerator]') return 'async generator';
    if (isFreeWebStream(result)) return 'web stream';
    // Those of the process outlive every run.
    if (result === process.stdout || result === process.stderr) return 'value';
    if (hasMethods(result, 'pipe', 'once')) return 'node stream';
    return isOwnResponse(result) && isFreeWebStream(result.body) ? 'response' : 'value';
  } catch {
    return 'value';
  }
}

/** One that nobody reads or has read yet: the others cannot be looked into. */
function isFreeWebStream(value: unknown): boolean {
  return value instanceof ReadableStream && !value.locked && !Readable.isDisturbed(value as unknown as Readable);
}

/** One that the work has made, and of no class of a framework's, whose members a copy would lack. */
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
    // Nothing is read ahead of whoever reads.
    { highWaterMark: 0 },
  );
}

/** What readable and writable streams tell of themselves, the response of a server among them. */
interface NodeStream {
  once(event: 'close', listener: () => void): void;
  closed?: boolean;
  errored?: Error | null;
  readable?: boolean;
  readableEnded?: boolean;
  writableFinished?: boolean;
  writableEnded?: boolean;
}

/** Listens to its close alone: a listener of its errors would keep one that nobody else handles from being seen. */
function observeNodeStream(stream: NodeStream, listener: ResultListener): void {
  const tell = (): void => {
    if (stream.errored) listener.fail(stream.errored);
    // An HTTP/2 response says that it has finished when its client has reset it, too.
    else if ([stream.readableEnded, stream.writableEnded, stream.writableFinished].includes(false)) listener.abandon();
    else listener.succeed();
  };
  if (stream.closed) tell();
  else stream.once('close', tell);
}
