/**
 * Whose a host is, as far as its name tells. Pure.
 *
 * @module
 */

/**
 * Endings under which anybody gets a name, besides the top-level domains: those of countries that sell
 * below a second label, and platforms that host for everybody. The
 * [public suffix list](https://publicsuffix.org) has nine thousand; these are the ones that agents'
 * hosts end with. One that is missing makes two owners look like one, and so hides a resemblance.
 */
const SHARED_ENDINGS: ReadonlySet<string> = new Set([
  "ac.uk",
  "co.uk",
  "gov.uk",
  "org.uk",
  "co.jp",
  "co.kr",
  "co.nz",
  "co.za",
  "com.au",
  "com.br",
  "com.cn",
  "com.mx",
  "com.tr",
  "com.tw",
  "appspot.com",
  "azurewebsites.net",
  "blob.core.windows.net",
  "cloudfront.net",
  "firebaseapp.com",
  "fly.dev",
  "github.io",
  "gitlab.io",
  "herokuapp.com",
  "netlify.app",
  "onrender.com",
  "pages.dev",
  "s3.amazonaws.com",
  "vercel.app",
  "web.app",
  "workers.dev",
]);

/** A name that somebody registered. */
export interface Site {
  /** The label that its owner chose: `github` of `api.github.com`. */
  readonly name: string;
  /** What follows it: `com`; empty for a single label. */
  readonly ending: string;
  /** Both: `github.com`. */
  readonly domain: string;
}

/**
 * The name that the owner of a host registered.
 *
 * @param host The host, in lower case, without a wildcard.
 * @returns The site.
 */
export function siteOf(host: string): Site {
  const labels = host.split(".");
  const endings = [4, 3, 2].filter((count) => labels.length > count);
  const shared = endings.find((count) => SHARED_ENDINGS.has(labels.slice(-count).join(".")));
  const [name = "", ...rest] = labels.slice(-(shared ?? 1) - 1);
  const ending = rest.join(".");
  return { name, ending, domain: ending === "" ? name : `${name}.${ending}` };
}
