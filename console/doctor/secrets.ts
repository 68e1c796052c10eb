/** Shorter ones cannot be told from ordinary text. */
const minChars = 4;

/**
 * Makes a function that blanks the passwords of connection URLs in what servers and drivers say. None of them is known to
 * repeat a password; this is for the one that does.
 */
export function createSecretHider(urls: readonly (string | null)[]): (text: string) => string {
  const secrets = urls
    .flatMap((url) => (url === null ? [] : [url, ...passwordsOf(url)]))
    .filter((secret) => secret.length >= minChars);
  return (text) => secrets.reduce((hidden, secret) => hidden.replaceAll(secret, '[hidden]'), text);
}

/** As it stands in the URL, and as it is sent. */
function passwordsOf(url: string): string[] {
  const { password, searchParams } = new URL(url);
  return [password, decode(password), searchParams.get('password') ?? ''];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
