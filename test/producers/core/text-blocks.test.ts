import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type StoredText, storeText, TextBlocks } from '../../../producers/core/text-blocks.ts';

function read(text: StoredText): string {
  const target = Buffer.alloc(text.bytes + 1, '!');
  expect(text.copyTo(target, 1)).toBe(text.bytes + 1);
  return target.toString('utf8', 1);
}

const store = (blocks: TextBlocks, text: string) => blocks.store(text, Buffer.byteLength(text));

test('text blocks: a text that is not let go stays as it is, whatever is stored and let go beside it', () => {
  const anyText = fc.tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), fc.nat(700));
  const steps = fc.array(fc.record({ text: anyText, letGo: fc.nat(5) }), { maxLength: 200, size: 'max' });
  fc.assert(
    fc.property(steps, (all) => {
      const blocks = [new TextBlocks(), new TextBlocks()];
      const kept: { text: string; stored: StoredText }[] = [];
      for (const [index, step] of all.entries()) {
        const text = step.text[0].repeat(step.text[1] + 1);
        kept.push({ text, stored: store(blocks[index % 2] as TextBlocks, text) });
        for (const { stored } of kept.splice(0, step.letGo === 0 ? kept.length : step.letGo - 1)) stored.letGo();
      }
      for (const { text, stored } of kept) expect(read(stored)).toBe(text);
      for (const { stored } of kept) stored.letGo();
    }),
    { numRuns: 200 },
  );
});

test('text blocks: memory is used again only when nobody needs it, and letting go twice changes nothing', () => {
  const blocks = new TextBlocks();
  const texts = Array.from({ length: 1_000 }, (_, index) => ({
    index,
    stored: store(blocks, `${index} `.repeat(500)),
  }));
  for (const { stored } of texts.slice(0, 500)) {
    stored.letGo();
    stored.letGo();
  }
  const later = Array.from({ length: 500 }, (_, index) => store(blocks, `later ${index}`.repeat(100)));
  for (const { index, stored } of texts.slice(500)) expect(read(stored)).toBe(`${index} `.repeat(500));
  for (const [index, stored] of later.entries()) expect(read(stored)).toBe(`later ${index}`.repeat(100));
});

test('text blocks: a large text has memory of its own, and a text that was let go cannot be read', () => {
  const large = 'é'.repeat(100_000);
  for (const stored of [store(new TextBlocks(), large), storeText(large)]) {
    expect(stored.bytes).toBe(200_000);
    expect(read(stored)).toBe(large);
    stored.letGo();
    expect(() => stored.beginning).toThrow('let go');
    expect(() => stored.copyTo(Buffer.alloc(10), 0)).toThrow('let go');
  }
});

test('text blocks: the beginning of a text has the id of a request', () => {
  const text = `{"phase":"completed","requestId":"0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f","createdBy":"${'é'.repeat(300)}"}`;
  expect(storeText(text).beginning).toContain('"requestId":"0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f"');
  expect(storeText('{}').beginning).toBe('{}');
});
