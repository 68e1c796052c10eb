import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toCursor } from '../../../queries/requests/request-cursor.ts';
import { searchRequests, withinBytes } from '../../../queries/requests/search-requests.ts';
import { UsageError } from '../../../shared/platform/errors.ts';
import { insertRequests, noon, openRequests, type RequestRow } from '../../support/request-rows.ts';

const at = (second: number): Date => new Date(Date.parse(noon) + second * 1_000);

test('request search: a text is found in the question, in the answer and in the failure, exactly as it is written', async () => {
  const { database, client } = await openRequests();
  const ids = await insertRequests(client, [
    { at: at(4), body: '{"input":"a needle"}' },
    { at: at(3), response: '{"output":"no needle here"}' },
    { at: at(2), state: 'failed', error: 'a needle broke' },
    { at: at(1), body: '{"input":"Needle"}' },
    { at: at(0), body: '{"input":"n_edle nee%le"}' },
  ]);
  const search = async (text: string) =>
    (await searchRequests(database, { text, limit: 10 })).requests.map(({ id }) => ids.indexOf(id));
  expect(await search('needle')).toEqual([0, 1, 2]);
  expect(await search('Needle')).toEqual([3]);
  // Neither a pattern of LIKE nor one of a regular expression, and no SQL.
  expect(await search('n_edle')).toEqual([4]);
  expect(await search('nee%le')).toEqual([4]);
  expect(await search('n.edle')).toEqual([]);
  expect(await search(`' or true or '`)).toEqual([]);
  expect(await search('\\')).toEqual([]);
  const { requests } = await searchRequests(database, { text: 'a needle', limit: 10 });
  expect(JSON.stringify(requests)).not.toContain('needle');
});

test('request search: what JSON escapes is found as it was meant', async () => {
  const { database, client } = await openRequests();
  const said = 'Grüße, "Ada" 👍\nbis morgen';
  const ascii = JSON.stringify({ said }).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  await insertRequests(client, [
    { body: JSON.stringify({ said }) },
    { body: ascii },
    { body: said },
    { body: JSON.stringify({ said: said.toUpperCase() }) },
  ]);
  const { requests } = await searchRequests(database, { text: said, limit: 10 });
  expect(requests).toHaveLength(3);
});

const streams: [api: string, events: (pieces: string[]) => object[]][] = [
  ['openai-chat', (pieces) => pieces.map((content) => ({ choices: [{ index: 0, delta: { content } }] }))],
  ['openai-responses', (pieces) => pieces.map((delta) => ({ type: 'response.output_text.delta', delta }))],
  [
    'anthropic-messages',
    (pieces) => pieces.map((text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
  ],
  ['gemini', (pieces) => pieces.map((text) => ({ candidates: [{ content: { parts: [{ text }], role: 'model' } }] }))],
  [
    'a tool of anthropic-messages',
    (pieces) =>
      pieces.map((partial_json) => ({
        type: 'content_block_delta',
        index: 1,
        delta: { type: 'input_json_delta', partial_json },
      })),
  ],
];

test.each(streams)('request search: what a stream of %s says is found across its pieces', async (_, events) => {
  const { database, client } = await openRequests();
  const said = 'The answer: "forty-two", natürlich.';
  const pieces = said.match(/.{1,3}/gsu) ?? [];
  const response = events(pieces)
    .map((event) => `data: ${JSON.stringify(event)}\n\n`)
    .join('');
  await insertRequests(client, [
    { response, isStream: true },
    { response, isStream: false },
  ]);
  const count = async (text: string) => (await searchRequests(database, { text, limit: 10 })).requests.length;
  expect(await count('answer: "forty-two", natürlich')).toBe(1);
  expect(await count('answer: "forty-three"')).toBe(0);
});

test('request search: a body that is kept as base64 is no text', async () => {
  const { database, client } = await openRequests();
  const kept = Buffer.from('needle').toString('base64');
  await insertRequests(client, [{ body: kept, bodyEncoding: 'base64', response: kept, responseEncoding: 'base64' }]);
  for (const text of [kept, 'needle'])
    expect((await searchRequests(database, { text, limit: 10 })).requests).toEqual([]);
});

test('request search: filters say what is looked through', async () => {
  const { database, client } = await openRequests();
  const mine: RequestRow = { at: at(1), createdBy: 'c', model: 'm', provider: 'p', endpoint: '/e', status: 503 };
  const [id] = await insertRequests(client, [mine, { at: at(0) }, { at: at(2), createdBy: 'c', model: 'm' }]);
  const search = async (filter: Parameters<typeof searchRequests>[1]['filter']) =>
    searchRequests(database, { ...(filter === undefined ? {} : { filter }), text: 'hello', limit: 10 });
  expect((await search({})).searched).toMatchObject({ requests: 3, since: at(0) });
  for (const filter of [
    { endpoint: '/e' },
    { provider: 'p', createdBy: 'c', model: 'm' },
    { statusClass: '5xx' },
    { state: 'failed' },
    { from: at(1), until: at(2) },
  ] as const) {
    const { requests, searched } = await search(filter);
    expect([requests.map((request) => request.id), searched.requests]).toEqual([[id], 1]);
  }
  expect(await search({ statusClass: '2xx', state: 'failed' })).toEqual({
    requests: [],
    cursor: null,
    searched: { requests: 0, bytes: 0, since: null },
  });
});

test('request search: pages together have each match once and in order, whatever an answer may read', async () => {
  const { database, client } = await openRequests();
  const scenario = fc.record({
    rows: fc.array(fc.record({ second: fc.integer({ min: 0, max: 3 }), has: fc.boolean() }), { maxLength: 20 }),
    limit: fc.integer({ min: 1, max: 5 }),
    most: fc.record({ requests: fc.integer({ min: 1, max: 7 }), bytes: fc.integer({ min: 1, max: 300 }) }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ rows, limit, most }) => {
      await client.query('truncate request, request_template');
      const ids = await insertRequests(
        client,
        rows.map(({ second, has }) => ({ at: at(second), body: has ? 'a needle' : 'x'.repeat(40) })),
      );
      const expected = rows
        .map((row, index) => ({ ...row, id: ids[index] ?? '' }))
        .filter(({ has }) => has)
        .sort((a, b) => b.second - a.second || (a.id < b.id ? 1 : -1))
        .map(({ id }) => id);
      const read: string[] = [];
      let searched = 0;
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof searchRequests>> = await searchRequests(database, {
          text: 'needle',
          limit,
          cursor,
          most,
        });
        expect(page.requests.length).toBeLessThanOrEqual(limit);
        expect(page.searched.requests).toBeLessThanOrEqual(most.requests);
        if (page.searched.requests > 1) expect(page.searched.bytes).toBeLessThanOrEqual(most.bytes);
        if (page.cursor !== null) expect(page.searched.requests).toBeGreaterThan(0);
        read.push(...page.requests.map(({ id }) => id));
        searched += page.searched.requests;
        cursor = page.cursor;
      } while (cursor !== null);
      expect(read).toEqual(expected);
      expect(searched).toBe(rows.length);
    }),
    { numRuns: 40 },
  );
});

test('request search: as many as fit are read, and always one', () => {
  const sizes = (...bytes: number[]) => bytes.map((size) => ({ bytes: size }));
  expect(withinBytes(sizes(50, 1), 10)).toEqual(sizes(50));
  expect(withinBytes(sizes(5, 5, 1), 10)).toEqual(sizes(5, 5));
  expect(withinBytes(sizes(5, 6, 1), 10)).toEqual(sizes(5));
  expect(withinBytes([], 10)).toEqual([]);
});

test('request search: what cannot be searched for is refused', async () => {
  const { database } = await openRequests();
  for (const text of ['', 'x'.repeat(513), 'a\0b', '\ud800'])
    await expect(searchRequests(database, { text, limit: 1 })).rejects.toThrow(UsageError);
  await expect(searchRequests(database, { text: 'x', limit: 0 })).rejects.toThrow(UsageError);
  const ofList = toCursor({ part: 'ended', createdAt: at(0), id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f' });
  await expect(searchRequests(database, { text: 'x', limit: 1, cursor: ofList })).rejects.toThrow(UsageError);
});
