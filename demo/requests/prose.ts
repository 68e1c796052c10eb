/** Words of support requests and code reviews: few enough to repeat, and to compress, like real text. */
const words =
  'the of to a and in is it for that on with you this be as are can we from or an if not have by at your will but when which all has was there more one use so do what about how each other into time only then them would first any like new some could these two may its our out up make than also been after most over such where through just should because between both same before does well must back here way even while those under many being own used work data value user system order table file name line number test error request response service server client token model prompt answer question context message stream example return result function type string field record batch queue worker database index column customer account invoice payment delivery shipping address refund ticket please explain summary report section paragraph sentence language translate version release change review merge branch commit deploy cluster memory latency throughput measure schedule meeting tomorrow yesterday quarter revenue contract clause policy option default setting parameter argument'.split(
    ' ',
  );
const wordsPerSentence = 14;
const sourceBytes = 256 * 1_024;

/**
 * Creates a writer of ASCII text. Each text is a passage of one long source, which is made once: writing word by word would cost a
 * gateway more than everything else that it does.
 *
 * @param random gives 0 <= n < 1; the same numbers give the same texts
 */
export function createProse(random: () => number): (bytes: number) => string {
  const source = writeSource(random);
  return (bytes) => {
    const start = Math.floor(source.length * random());
    const text = source.slice(start, start + bytes);
    return text.length === bytes
      ? text
      : text + source.repeat(Math.ceil(bytes / source.length)).slice(0, bytes - text.length);
  };
}

/** A few words are much more frequent than the others. */
function writeSource(random: () => number): string {
  const parts: string[] = [];
  let length = 0;
  for (let count = 1; length < sourceBytes; count += 1) {
    const word = words[Math.floor(words.length * random() ** 2)] ?? '';
    const part = count % wordsPerSentence === 0 ? `${word}. ` : `${word} `;
    parts.push(part);
    length += part.length;
  }
  return parts.join('');
}
