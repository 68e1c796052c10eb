/** Shorter ones cannot be told from ordinary text. */
const minChars = 4;

/**
 * Makes a function that blanks the passwords of connection URLs, and others, in what servers and drivers say. None of them is known to
 * repeat a password; this is for the one that does.
 */
export function createSecretHider(
  urls: readonly (string | null)[],
  passwords: readonly (string | null)[] = [],
): (text: string) => string {
  const secrets = [...urls.flatMap((url) => (url === null ? [] : [url, ...passwordsOf(url)])), ...passwords]
    .filter((secret) => secret !== null)
    .filter((secret) => secret.length >= minChars);
  return (text) => secrets.reduce((hidden, secret) => hidden.replaceAll(secret, '[hidden]'), text);
}

/** As they stand in the URL, which may have several hosts, and as they are sent. */
function passwordsOf(url: string): string[] {
  const written = [/^[^/]*\/\/[^/?#]*?:([^/?#]*)@/.exec(url)?.[1], /[?&]password=([^&#]*)/.exec(url)?.[1]];
  return written.flatMap((password) => (password === undefined ? [] : [password, decode(password)]));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
