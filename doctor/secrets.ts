/** Shorter passwords cannot be told from ordinary text. */
const minChars = 4;

/**
 * Creates a function that blanks the passwords of connection URLs, and others, in what servers and drivers say. None is
 * known to repeat a password; this guards against one that does.
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

/** Both as written in the URL, which may have several hosts, and as sent. */
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
