import type pg from 'pg';

/** Values that a careless copy would change: of doubles, of JSON, of text. */
const points = ["'-0'", '1e20', '0.1', '5e-324', "'NaN'", "'-Infinity'", 'null'];
const inputs = [
  `'{"big": 123456789012345678901234567890.10, "small": 1.0, "exponent": 1e400}'`,
  `'"\\u2028 😀 \\"quoted\\", a,b"'`,
  `'null'`,
  'null',
];
const texts = [`'line\nbreak'`, `''`, `'=1+1'`, `'"'`, 'null', `E'tab\\tand \\x01'`];

/** Rows of one day with all kinds of values in them. */
export async function insertVariedExecutions(client: pg.Client, noon: Date, count: number): Promise<void> {
  const pick = (of: readonly string[], type: string): string =>
    `(array[${of.join(', ')}]::${type}[])[1 + n % ${of.length}]`;
  await client.query(
    `insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, realm_id, status,
       error_code, error_message, points, case_name, duration_ms, nodes_executed, trace, trace_length, sampled, sample_rate, input, notes)
     select gen_random_uuid(), $1::timestamptz + n * interval '7 milliseconds', 'strategy-' || n % 7, n, 'DSL_FULL',
       case when n % 3 > 0 then 'realm-' || n % 3 end, case when n % 5 = 0 then 'error' else 'ok' end,
       case when n % 5 = 0 then 'E' || n % 2 end, ${pick(texts, 'text')}, ${pick(points, 'float8')}, ${pick(texts, 'text')},
       n / 3.0, n, jsonb_build_array(jsonb_build_object('nodeId', n, 'value', repeat('x', n % 400))), n, n % 2 = 0,
       0.25, ${pick(inputs, 'jsonb')}, ${pick(texts, 'text')}
     from generate_series(1, $2::int) as n`,
    [noon, count],
  );
}
