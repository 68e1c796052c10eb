/** Objects that fail in the hands of whoever looks at them, each in its own way. */
export function unreadableObjects(): [name: string, value: object][] {
  return [
    ['a revoked proxy', revokedProxy()],
    ['a proxy whose every trap throws', throwingProxy()],
    ['an object whose toJSON throws', throwing('toJSON')],
    ['an object whose toString throws', throwing('toString')],
    ['an object without a prototype', Object.create(null)],
    ['an object with a getter that throws', throwingGetter('a')],
    ['an object that is a Date by its prototype only', Object.create(Date.prototype)],
    ['a proxied Date', new Proxy(new Date(0), {})],
    ['an Error whose message throws', Object.defineProperty(new Error(), 'message', { get: fail })],
    ['an object whose toJSON throws an Error with a number for its message', throwing('toJSON', numberedError())],
    ['an object whose toJSON throws a revoked proxy', throwing('toJSON', revokedProxy())],
  ];
}

export function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

export function throwingGetter(name: string): object {
  return Object.defineProperty({}, name, { enumerable: true, get: fail });
}

function throwingProxy(): object {
  return new Proxy({}, new Proxy({}, { get: fail }));
}

function throwing(method: string, thrown: unknown = new Error('no')): object {
  return {
    [method]: () => {
      throw thrown;
    },
  };
}

function numberedError(): Error {
  return Object.defineProperty(new Error(), 'message', { value: 5 });
}

function fail(): never {
  throw new Error('no');
}
