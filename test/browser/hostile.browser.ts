import { expect, test } from 'vitest';
import { storeRequests } from '../../workers/completed-requests/store.ts';
import { until } from '../support/fixtures.ts';
import { insertRuntimeRecord } from '../support/health.ts';
import { aCompletion } from '../support/requests.ts';
import { insertDeadLetter, insertRun } from '../support/seed-console.ts';
import { aPage } from './a-page.ts';
import { aStage } from './stage.ts';

/** Markup that would run, and a way out of an attribute and of a script; each says who it was. */
const attack = (field: string): string =>
  `"'><img src=x onerror="window.attacked='${field}'"><script>window.attacked='${field}'</script><svg onload=window.attacked='${field}'>\${window.attacked='${field}'}`;

/** JSON in the shape of what preact makes elements from, as far as JSON can have it. */
const likeAnElement = (field: string) => ({
  type: 'img',
  props: { src: 'x', onerror: attack(field), dangerouslySetInnerHTML: { __html: attack(field) }, children: [] },
  key: null,
  ref: null,
  constructor: 'Symbol(pv)',
  __k: null,
  __: null,
  __b: 0,
  __e: null,
  __c: null,
  __v: 1,
  __i: -1,
  __u: 0,
});

const strategyId = attack('strategyId');

async function aHostileStage() {
  const stage = await aStage();
  const failure = {
    strategy_id: strategyId,
    strategy_type: attack('strategyType'),
    parent_strategy_id: attack('parentStrategyId'),
    realm_id: attack('realmId'),
    external_game_id: attack('externalGameId'),
    external_task_id: attack('externalTaskId'),
    external_user_id: attack('externalUserId'),
    status: 'error',
    error_code: attack('errorCode'),
    error_message: attack('errorMessage'),
    failed_node_id: `${attack('failedNodeId')}.compare.0`,
    ast_hash: attack('astHash'),
    notes: attack('notes'),
    case_name: null,
    sampled: false,
    sample_rate: 1,
    trace: JSON.stringify([
      { nodeId: attack('nodeId'), type: attack('type'), value: attack('value'), branch: attack('branch') },
      attack('entry'),
      likeAnElement('entryElement'),
      { nodeId: 'n', type: likeAnElement('typeElement'), branch: likeAnElement('branchElement') },
      { nodeId: 'v', type: 'field', value: likeAnElement('valueElement') },
    ]),
    input: JSON.stringify({ [attack('key')]: attack('input'), element: likeAnElement('inputElement') }),
  };
  const executionId = await insertRun(stage.client, failure);
  await insertRun(stage.client, { strategy_id: strategyId, case_name: attack('caseName') });
  const deadLetterId = await insertDeadLetter(stage.client, {
    payload: JSON.stringify({ text: attack('payload'), element: likeAnElement('payloadElement') }),
    reason: attack('reason'),
    signature: attack('signature'),
    code: attack('code'),
    producer: attack('producer'),
    job_id: attack('jobId'),
    record_key: attack('recordKey'),
  });
  const completion = aCompletion({
    startedAt: new Date().toISOString(),
    completedAt: new Date().toISOString(),
    createdBy: attack('createdBy'),
    model: attack('model'),
    requestBody: attack('requestBody'),
    responseBody: attack('responseBody'),
  });
  await storeRequests(stage.database, JSON.stringify([completion]));
  await insertRuntimeRecord(stage.client, {
    game_id: attack('gameId'),
    status: 'engine_unreachable',
    engine_health: 'healthy',
  });
  return { ...stage, executionId, deadLetterId, requestId: completion.requestId };
}

test('hostile text: in every field it is shown as text, and nothing of it runs', async () => {
  const { url, executionId, deadLetterId, requestId } = await aHostileStage();
  const id = encodeURIComponent(strategyId);
  const addresses = [
    { href: '/', shows: 'strategyId' },
    { href: `/?view=strategy&id=${id}&status=all`, shows: 'errorMessage' },
    { href: `/?view=strategy&id=${id}&execution=${executionId}`, shows: 'branch' },
    { href: `/?view=strategy&id=${id}&execution=${executionId}`, shows: 'valueElement' },
    { href: `/?view=strategy&id=${id}&execution=${executionId}`, shows: 'inputElement' },
    { href: `/?view=compare&a=${id}&b=${encodeURIComponent(attack('b'))}`, shows: 'strategyId' },
    { href: '/?view=fleet', shows: 'signature' },
    { href: '/?view=dead-letters', shows: 'reason' },
    { href: `/?view=dead-letters&dead-letter=${deadLetterId}`, shows: 'payload' },
    { href: '/?view=health', shows: 'gameId' },
    { href: '/?view=requests', shows: 'model' },
    { href: `/?view=requests&request=${requestId}`, shows: 'responseBody' },
    {
      href: `/?view=${encodeURIComponent(attack('view'))}&window=${encodeURIComponent(attack('window'))}`,
      shows: null,
    },
    { href: `/?window=${encodeURIComponent(attack('window'))}`, shows: null },
    { href: `/?since=${encodeURIComponent(attack('since'))}`, shows: null },
  ];
  const { page, problems } = await aPage();
  for (const { href, shows } of addresses) {
    await page.goto(url + href);
    const text =
      shows === null ? page.getByRole('alert').getByRole('button') : page.getByText(`window.attacked='${shows}'`);
    await text.first().waitFor();
    expect([href, await page.evaluate('window.attacked')]).toEqual([href, undefined]);
    expect([
      href,
      await page.locator('main img, main script, main svg, dialog img, dialog script, dialog svg').count(),
    ]).toEqual([href, 0]);
  }
  // What cannot be asked is answered with 400, which a browser notes.
  expect(problems.filter((problem) => !problem.includes('status of 400'))).toEqual([]);
});

test('hostile JSON: no object in it is an element, wherever it gets to', async () => {
  const stage = await aStage();
  const { page, problems } = await aPage();
  await page.goto(stage.url);
  const shown = await page.evaluate(`(async (json) => {
    const { h, render } = await import('/vendor/preact.js');
    const { constructor, ...withoutConstructor } = JSON.parse(json);
    const shown = [];
    for (const make of [() => JSON.parse(json), () => structuredClone(withoutConstructor)]) {
      for (const nodes of [make(), [make()], [h('p', null, 'text'), make()], h('p', null, 'text', [make()])]) {
        const host = document.createElement('div');
        document.body.append(host);
        render(nodes, host);
        shown.push(host.innerHTML);
      }
    }
    return shown;
  })(${JSON.stringify(JSON.stringify(likeAnElement('object')))})`);
  const each = ['', '', '<p>text</p>', '<p>text</p>'];
  expect(shown).toEqual([...each, ...each]);
  expect([await page.evaluate('window.attacked'), problems]).toEqual([undefined, []]);
});

test('content security policy: what is put into the page from outside does not run', async () => {
  const { url } = await aHostileStage();
  const { page, problems } = await aPage();
  await page.goto(url);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.evaluate(`document.querySelector('main').innerHTML += '<img src=x onerror="window.attacked=1">'`);
  await page.evaluate(
    `{ const script = document.createElement('script'); script.textContent = 'window.attacked = 2'; document.body.append(script); }`,
  );
  // Both are refused, and the browser says so when it has got to them.
  await until(() => problems.filter((problem) => problem.includes('Content Security Policy')).length > 1);
  expect(await page.evaluate('window.attacked')).toBeUndefined();
});
