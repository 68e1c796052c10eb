import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventForms } from '../../../shared/facts/event-forms.ts';
import { type Selected, selectJson, toSelection } from '../../../shared/facts/select-json.ts';
import { readEvents, type StreamEvents } from '../../../shared/facts/stream-events.ts';

const wanted = toSelection({ type: true, index: true, part: { id: true, names: [true] } });

/** The events of a stream, in both places that its text can be in, which must be the same. */
function eventsOf(text: string): StreamEvents {
  const read = (one: string, isEscaped: boolean) => readEvents(one, new EventForms(wanted, isEscaped));
  const plain = read(text, false);
  const inside = JSON.stringify(text).slice(1, -1);
  if (!/(?:^|[^\\])(?:\\\\)*\\u/.test(inside))
    expect(read(Buffer.from(inside).toString('latin1'), true)).toEqual(plain);
  return plain;
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', 'x"', '\\', '\n\ndata: {"type":"y"}\n\n', '"},"type":"z', '[DONE]', 'é', '"'),
);
const scalar = fc.oneof(text, fc.integer(), fc.constantFrom(null, true, 1.5));

/** Events of a few shapes that differ in their values, as those of a stream do. */
const shapes: ((values: readonly unknown[]) => object)[] = [
  ([a, b, c]) => ({ id: a, type: 'delta', index: 0, text: b, other: c }),
  ([a, b, c]) => ({ id: a, type: b, index: 0, text: c }),
  ([a, b, c]) => ({ type: 'delta', part: { id: a, text: b, names: ['x', c] }, more: { text: a } }),
  ([a, b]) => ({ text: a, index: b }),
  ([a]) => ({ type: 'delta', text: [a] }),
];
const anyEvent = fc
  .tuple(fc.nat(shapes.length - 1), fc.array(scalar, { minLength: 3, maxLength: 3 }))
  .map(([shape, values]) => JSON.stringify(shapes[shape]?.(values)));

test('events: whatever their values are, each is what is selected of it alone', () => {
  const streams = fc.record({
    events: fc.array(anyEvent, { maxLength: 12 }),
    end: fc.constantFrom('\n\n', '\r\n\r\n', '\n', '\r\r'),
    name: fc.constantFrom('', 'event: x\n', ': ping\n\n'),
    space: fc.constantFrom('', ' '),
    isDone: fc.boolean(),
  });
  fc.assert(
    fc.property(streams, ({ events, end, name, space, isDone }) => {
      const body = [...events, ...(isDone ? ['[DONE]'] : [])]
        .map((event) => `${name}data:${space}${event}${end}`)
        .join('');
      const alone = events.map((event) => selectJson(event, wanted, { isEscaped: false }));
      expect(eventsOf(body)).toEqual({ events: alone, isDone, isDamaged: false });
    }),
    { numRuns: 2_000 },
  );
});

test('events: of one shape, with values that stay the same for a while, each is what is selected of it alone', () => {
  const value = fc.constantFrom('a', 'a"', 'a\\', 'ab', '', 'é', 1, 12, -1, null, [1], {});
  const [often, seldom] = [
    { arbitrary: fc.constant(null), weight: 9 },
    { arbitrary: value, weight: 1 },
  ];
  const change = fc.record({
    values: fc.array(fc.oneof(often, seldom), { minLength: 6, maxLength: 6 }),
    before: fc.oneof(fc.constant(null), fc.constantFrom('event: x\n', 'event: y\n', ': ping\n\n', '')),
  });
  const end = fc.constantFrom('\n\n', '\r\n\r\n', '\n', ' \n\n');
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), end, (changes, lineEnd) => {
      let now: unknown[] = ['id', 7, 'name', 'delta', 'text', null];
      let name = '';
      let body = '';
      const alone: (Selected | undefined)[] = [];
      for (const { values, before } of changes) {
        now = now.map((one, index) => values[index] ?? one);
        name = before ?? name;
        const [id, count, model, type, part, more] = now;
        const event = JSON.stringify({ id, count, model, type, part, list: [{ more }], more });
        body += `${name}data: ${event}${lineEnd}`;
        alone.push(selectJson(event, wanted, { isEscaped: false }));
      }
      expect(eventsOf(body)).toEqual({ events: alone, isDone: false, isDamaged: false });
    }),
    { numRuns: 2_000 },
  );
});

const anyStream = fc
  .record({
    events: fc.array(anyEvent, { maxLength: 8 }),
    respell: fc.constantFrom<(event: string) => string>(
      (event) => event,
      (event) => event.replace('"type"', '"t\\u0079pe"'),
      (event) => event.replace('{', '{"type":"first",'),
      (event) => event.replace(/}$/, ',"index":[9]}'),
      (event) => event.replaceAll('":', '" : '),
      (event) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(event) as object).reverse())),
    ),
    before: fc.constantFrom('', 'event: x\n', ': ping\n\n', 'id: 7\nevent: y\n', 'data: [DONE]\n\n', '\ufeff'),
    end: fc.constantFrom('\n\n', '\r\n\r\n', '\n', ' \n\n'),
  })
  .map(({ events, respell, before, end }) => {
    const texts = events.map(respell);
    return {
      texts,
      text: texts.map((event) => `${before}data: ${event}${end}`).join(''),
      hasMark: before === '\ufeff',
    };
  });

/** Of a text and of the same in a chunk. */
const placesOf = (text: string) => {
  const inside = JSON.stringify(text).slice(1, -1);
  const isInChunk = !/(?:^|[^\\])(?:\\\\)*\\u/.test(inside);
  return isInChunk ? [text, Buffer.from(inside).toString('latin1')] : [text];
};

test('events: whatever streams were read before, each is what is selected of it alone', () => {
  fc.assert(
    fc.property(fc.array(anyStream, { maxLength: 12 }), (streams) => {
      const forms = [new EventForms(wanted, false), new EventForms(wanted, true)];
      for (const { texts, text, hasMark } of [...streams, ...streams.toReversed()]) {
        // With a mark of its byte order before it, no line is one of data.
        const alone = hasMark ? [] : texts.map((event) => selectJson(event, wanted, { isEscaped: false }));
        for (const [place, one] of placesOf(text).entries())
          expect(readEvents(one, forms[place] as EventForms).events).toEqual(alone);
      }
    }),
    { numRuns: 2_000 },
  );
});

/** Each event is read as if it were the first one. */
class NoForms extends EventForms {
  override learn(): number {
    return -1;
  }
}

test('events: of streams that somebody has changed, forms make nothing another thing than it is', () => {
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    deleted: fc.nat(4),
    inserted: fc.constantFrom(
      ...[
        '',
        '"',
        '\\',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '9',
        'null',
        ' ',
        '\n',
        '\r',
        '\n\n',
        '\\u0041',
        '"type":7,',
        '\ud800',
      ],
      ...[
        '\ndata: ',
        '\n\ndata: {"type":"z"}\n\n',
        '\n\ndata: [DONE]\n\n',
        '\nevent: x\n',
        '\n: ping\n',
        '{"type":"z"}',
        '"x":[{"',
      ],
    ),
  });
  const changed = fc.record({ stream: anyStream, changes: fc.array(change, { maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(changed, { maxLength: 12 }), (streams) => {
      const forms = [new EventForms(wanted, false), new EventForms(wanted, true)];
      for (const { stream, changes } of [...streams, ...streams.toReversed()]) {
        let { text } = stream;
        for (const { at, deleted, inserted } of changes) {
          const place = Math.floor(at * text.length);
          text = text.slice(0, place) + inserted + text.slice(place + deleted);
        }
        for (const [place, one] of placesOf(text).entries())
          expect(readEvents(one, forms[place] as EventForms)).toEqual(
            readEvents(one, new NoForms(wanted, place === 1)),
          );
      }
    }),
    { numRuns: 2_000 },
  );
});

test('events: what stands before the first one is not taken for the end of its line', () => {
  const event = (text: string) => `data: {"type":"a","text":"${text}"}`;
  for (const before of ['', ': hi\n\n', 'event: x\n', 'data: [DONE]\n\n']) {
    const forms = new EventForms(wanted, false);
    for (const text of 'abc')
      readEvents(`${before}${['x', text, 'z'].map((one) => `${event(one)}\n\n`).join('')}`, forms);
    const inOneLine = `${before}${event('p')}\n\n${event('q')}${before}${event('r')}\n\n`;
    expect(readEvents(inOneLine, forms)).toEqual(readEvents(inOneLine, new NoForms(wanted, false)));
  }
});

test('events: so many forms there may be, so few are kept, and none that is large', () => {
  const forms = new EventForms(wanted, false);
  for (let one = 0; one < 300; one += 1) {
    const events = [
      `{"k${one}":{"x":1},"type":"a"}`,
      `{"${'k'.repeat(one * 40)}":"${'v'.repeat(one * 40)}","index":${one}}`,
    ];
    const many = `{${Array.from({ length: one }, (_, name) => `"${name}":${name}`).join(',')}}`;
    const { events: read } = readEvents(`data: ${[...events, many].join('\n\ndata: ')}\n\n`, forms);
    expect(read).toEqual([{ type: 'a' }, { index: one }, {}]);
  }
  expect(forms.at(63)).toBeDefined();
  expect(forms.at(64)).toBeUndefined();
  for (let number = 0; number < 64; number += 1)
    expect(forms.at(number).pattern.parts.join('').length).toBeLessThan(4_096 + 64 * 64);
});

test('events: a stream is read up to what is no JSON, as its end is when it was cut', () => {
  const event = '{"type":"delta","text":"x"}';
  const whole = `data: ${event}\n\n`.repeat(3);
  for (let end = 1; end < whole.length; end += 1) {
    const { events, isDamaged } = eventsOf(whole.slice(0, end));
    expect(events).toEqual(Array(Math.floor((end + 2) / (event.length + 8))).fill({ type: 'delta' }));
    const rest = end % (event.length + 8);
    expect(isDamaged).toBe(rest > 'data: '.length && rest < event.length + 'data: '.length);
  }
});

test('events: one whose data is in several lines is one', () => {
  expect(
    eventsOf(
      'data: {"type":\ndata:  "a",\r\ndata: "index": 1}\n\nid: 7\ndata: {"type":"b"}\n\ndata: hello\n\ndata: [DONE]\n\n',
    ),
  ).toEqual({
    events: [{ type: 'a', index: 1 }, { type: 'b' }],
    isDone: true,
    isDamaged: false,
  });
});
