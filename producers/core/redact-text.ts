/** A part of a text: from `start` to before `end`. */
export interface Range {
  start: number;
  end: number;
}

/** A longer text is not searched, but replaced as a whole. */
export const searchedChars = 1_048_576;

/**
 * What can be found in text. These are functions of our own and no patterns of the user's: each takes time that is linear in the
 * length of the text, whatever the text.
 */
export const detectors = {
  email: findEmails,
  creditCard: findCreditCards,
  iban: findIbans,
} as const satisfies Record<string, (text: string) => readonly Range[]>;

export type DetectorName = keyof typeof detectors;

/** Nearly every text has nothing, and a search for single characters tells. */
const nothing: readonly Range[] = [];

const localChars = 254;
const endsLocalPart = /[\s@<>()[\]{}",;:=&?/\\|]/;
const isOfDomain = /[A-Za-z0-9.\-\u0080-\uffff]/;

/** Also with the @ written as %40, as in forms and URLs. */
function findEmails(text: string): readonly Range[] {
  if (!text.includes('@') && !text.includes('%40')) return nothing;
  const found: Range[] = [];
  let from = 0;
  for (const at of atSigns(text)) {
    if (at.start < from) continue;
    let start = at.start;
    const least = Math.max(from, start - localChars);
    while (start > least && !endsLocalPart.test(text[start - 1] as string)) start -= 1;
    let end = at.end;
    const most = Math.min(text.length, end + localChars);
    while (end < most && isOfDomain.test(text[end] as string)) end += 1;
    while (end > at.end && (text[end - 1] === '.' || text[end - 1] === '-')) end -= 1;
    const domain = text.slice(at.end, end);
    if (start === at.start || domain.startsWith('.') || !domain.includes('.')) continue;
    found.push({ start, end });
    from = end;
  }
  return found;
}

/** In their order. */
function* atSigns(text: string): Generator<Range> {
  let plain = text.indexOf('@');
  let escaped = text.indexOf('%40');
  while (plain !== -1 || escaped !== -1) {
    if (plain !== -1 && (escaped === -1 || plain < escaped)) {
      yield { start: plain, end: plain + 1 };
      plain = text.indexOf('@', plain + 1);
    } else {
      yield { start: escaped, end: escaped + 3 };
      escaped = text.indexOf('%40', escaped + 3);
    }
  }
}

const digitGroups = /[0-9]+/g;
const cardDigits = { min: 12, max: 19 };

/** A space or a hyphen, also those that do not break a line. */
const cardSeparator = /[ \u00a0\u2007\u2009\u202f\u2010\u2011\u2013-]/;
const mayBeCard = new RegExp(`[0-9](?:${cardSeparator.source}?[0-9]){11}`);

/** The first digits of the large networks, and how many follow. */
const cardNetworks = new RegExp(
  [
    '4(?:\\d{12}|\\d{15}|\\d{18})', // Visa
    '(?:5[1-5]\\d\\d|222[1-9]|22[3-9]\\d|2[3-6]\\d\\d|27[01]\\d|2720)\\d{12}', // Mastercard
    '3[47]\\d{13}', // American Express
    '3(?:0[0-5]|[689]\\d)\\d{11,16}', // Diners
    '(?:6011|62\\d\\d|64[4-9]\\d|65\\d\\d|35\\d\\d)\\d{12,15}', // Discover, UnionPay, JCB
    '(?:5018|5020|5038|5893|6304|6759|676[1-3])\\d{8,15}', // Maestro
  ]
    .map((network) => `^${network}$`)
    .join('|'),
);

/** Digits in groups that a space or a hyphen separates, of a network and with a right check digit. */
function findCreditCards(text: string): readonly Range[] {
  if (text.length < cardDigits.min || !mayBeCard.test(text)) return nothing;
  const found: Range[] = [];
  const groups = Array.from(text.matchAll(digitGroups), ({ 0: digits, index }) => ({ digits, index }));
  for (let first = 0; first < groups.length; first += 1) {
    let digits = '';
    let matched: { last: number; end: number } | null = null;
    for (let last = first; last < groups.length; last += 1) {
      const group = groups[last] as { digits: string; index: number };
      if (last > first && !isSeparator(text, groups[last - 1] as typeof group, group.index)) break;
      digits = digits.length + group.digits.length > cardDigits.max ? '' : digits + group.digits;
      if (digits === '') break;
      if (isCard(digits)) matched = { last, end: group.index + group.digits.length };
    }
    if (matched === null) continue;
    found.push({ start: (groups[first] as { index: number }).index, end: matched.end });
    first = matched.last;
  }
  return found;
}

function isSeparator(text: string, before: { digits: string; index: number }, next: number): boolean {
  const at = before.index + before.digits.length;
  return next - at === 1 && cardSeparator.test(text[at] as string);
}

function isCard(digits: string): boolean {
  if (digits.length < cardDigits.min || !cardNetworks.test(digits)) return false;
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = Number(digits[digits.length - 1 - at]);
    sum += at % 2 === 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0);
  }
  return sum % 10 === 0;
}

/** At most 68 characters, so each place where one may begin costs no more. */
const ibanCandidates = /[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}/g;
const ibanChars = 15;
const mayBeIban = /[A-Z]{2}[0-9]{2}/;
const isOfWord = /[A-Z0-9]/;

function findIbans(text: string): readonly Range[] {
  if (text.length < ibanChars || !mayBeIban.test(text)) return nothing;
  const found: Range[] = [];
  ibanCandidates.lastIndex = 0;
  for (let match = ibanCandidates.exec(text); match !== null; match = ibanCandidates.exec(text)) {
    const { 0: candidate, index } = match;
    const length = ibanLength(candidate, text[index + candidate.length] ?? '');
    if (length > 0) found.push({ start: index, end: index + length });
    // In a text in capitals, one may begin within what looks like another.
    ibanCandidates.lastIndex = index + Math.max(length, 1);
  }
  return found;
}

/** Words may follow in capitals: the longest beginning whose check digits are right is it. 0: none is. */
function ibanLength(candidate: string, next: string): number {
  const country = remainder(0, candidate.slice(0, 4));
  let rest = 0;
  let chars = 4;
  let longest = 0;
  for (let at = 4; at < candidate.length; at += 1) {
    const char = candidate[at] as string;
    if (char === ' ') continue;
    rest = remainder(rest, char);
    chars += 1;
    if (chars < ibanChars || isOfWord.test(candidate[at + 1] ?? next)) continue;
    // The country and the check digits, which are six digits, come last.
    if ((rest * 1_000_000 + country) % 97 === 1) longest = at + 1;
  }
  return longest;
}

/** Modulo 97, with a letter as two digits. */
function remainder(before: number, text: string): number {
  let rest = before;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const isDigit = code < 58;
    rest = (rest * (isDigit ? 10 : 100) + code - (isDigit ? 48 : 55)) % 97;
  }
  return rest;
}
