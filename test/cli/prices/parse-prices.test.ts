import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parsePrices } from '../../../cli/prices/parse-prices.ts';
import { UsageError } from '../../../shared/platform/errors.ts';

const head = 'provider,model,valid_from,valid_until,currency,input,cached_input,output,source';

test('prices: CSV and JSON of the same prices are read alike', () => {
  const csv = `\uFEFF${head}\r\n,gpt-4o*,2026-01-01,,USD,2.5,1.25,10,"a ""list"", of us"\r\n\r\np, m ,2026-01-01T12:00:00+02:00,2027-01-01,EUR,0.0000000001,,,x\r\n`;
  const json = JSON.stringify([
    {
      model: 'gpt-4o*',
      valid_from: '2026-01-01',
      currency: 'USD',
      input: 2.5,
      cached_input: '1.25',
      output: 10,
      source: 'a "list", of us',
    },
    {
      provider: 'p',
      model: 'm',
      valid_from: '2026-01-01T10:00:00Z',
      valid_until: '2027-01-01',
      currency: 'EUR',
      input: '0.0000000001',
      output: null,
      source: 'x',
    },
  ]);
  const prices = parsePrices(csv);
  expect(prices).toEqual([
    {
      ...{ provider: null, model: 'gpt-4o*', validFrom: new Date('2026-01-01T00:00:00Z'), validUntil: null },
      ...{ currency: 'USD', input: '2.5', cachedInput: '1.25', output: '10', source: 'a "list", of us' },
    },
    {
      ...{
        provider: 'p',
        model: 'm',
        validFrom: new Date('2026-01-01T10:00:00Z'),
        validUntil: new Date('2027-01-01T00:00:00Z'),
      },
      ...{ currency: 'EUR', input: '0.0000000001', cachedInput: null, output: null, source: 'x' },
    },
  ]);
  expect(parsePrices(json)).toEqual(prices);
});

test.each([
  ['', 'the file has no prices'],
  [head, 'the file has no prices'],
  ['model,price\nm,1', 'it has price'],
  ['model,valid_from,currency\nm,2026-01-01,USD', 'source is missing'],
  [`${head},model\n`, 'it has one twice'],
  [`${head}\n,m,2026-01-01,1/1/27,USD,1,,,x`, 'line 2: valid_until: accepted: a day'],
  [`${head}\n ,m,2026-01-01,,USD,1,,,x`, 'line 2: provider: must not be empty'],
  [`${head}\n,m,2026-01-01,,USD,1,free,,x`, 'line 2: cached_input: accepted: an amount'],
  ['{"model":"m"}', 'JSON must be a list'],
  ['[1', 'is none'],
  ['["m"]', 'entry 1: it is no object'],
  [`${head}\n"m`, 'line 2: a quote'],
  [`${head}\n,m,2026-01-01,USD`, 'line 2: it has 4 fields, and the first line has 9'],
  [`${head}\n,m,01.02.2026,,USD,1,1,1,x`, 'line 2: valid_from: accepted: a day'],
  [`${head}\n,m,2026-02-30,,USD,1,1,1,x`, 'line 2: valid_from'],
  [`${head}\n,m,2026-01-01,2026-01-01,USD,1,1,1,x`, 'line 2: valid_until: must be after valid_from'],
  [`${head}\n,m,2026-01-01,,usd,1,1,1,x`, 'line 2: currency: accepted: a code of ISO 4217'],
  [`${head}\n,m,2026-01-01,,USD,-1,1,1,x`, 'line 2: input: accepted: an amount'],
  [`${head}\n,m,2026-01-01,,USD,"1,5",1,1,x`, 'line 2: input'],
  [`${head}\n,m,2026-01-01,,USD,NaN,1,1,x`, 'line 2: input'],
  [`${head}\n,m,2026-01-01,,USD,1e3,1,1,x`, 'line 2: input'],
  [`${head}\n,m,2026-01-01,,USD,,,,x`, 'line 2: input: no amount is given'],
  [`${head}\n,g*t,2026-01-01,,USD,1,1,1,x`, 'line 2: model: may have a * only at its end'],
  [`${head}\n,,2026-01-01,,USD,1,1,1,x`, 'line 2: model: must not be empty'],
  [`${head}\n,m,2026-01-01,,USD,1,1,1,`, 'line 2: source: must not be empty'],
  [`${head}\n,m,2026-01-01,,USD,1,1,1,x\n,m,2026-01-01,,USD,2,1,1,x`, 'line 3: line 2 has a price of the same'],
  [
    '[{"model":"m","valid_from":"2026-01-01","currency":"USD","input":1,"source":"x","cost":1}]',
    'entry 1: Unrecognized key: "cost"',
  ],
])('prices: %j is refused, with the place and what is wrong', (text, message) => {
  expect(() => parsePrices(text)).toThrow(UsageError);
  expect(() => parsePrices(text)).toThrow(message);
});

test('prices: the list that comes with this version is read, and says its date and source', async () => {
  const prices = parsePrices(await readFile('cli/prices/default.csv', 'utf8'));
  expect(prices.length).toBeGreaterThan(20);
  for (const { source, currency, provider } of prices) {
    expect(source).toMatch(/^sluice 20\d\d-\d\d, from \w+'s pricing page$/);
    expect([currency, provider]).toEqual(['USD', null]);
  }
});
