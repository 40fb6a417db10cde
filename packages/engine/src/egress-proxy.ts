/**
 * The operator's own HTTP proxy, through which every request to a receiver and to a token URL leaves, if there is one.
 * It is a setting and trusted as such: its address need not pass the guard.
 */

export type EgressProxy = {
  /** Whether the proxy itself is spoken to over TLS. */
  readonly secure: boolean
  /** Name or address, IPv6 without brackets. */
  readonly hostname: string
  readonly port: number
  /** What is sent as `proxy-authorization`: a secret. */
  readonly authorization: string | null
}

const form = 'write http://host:port, or https://user:password@host:port with special characters percent-encoded'

/**
 * Reads the URL of a proxy.
 *
 * @throws Error that says what is wrong and the fix, and never repeats the text: it may hold a password
 */
export function parseEgressProxy(text: string): EgressProxy {
  const url = URL.parse(text)
  if (url === null) throw new Error(`is no URL; ${form}`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Error(`begins neither with http:// nor with https://; ${form}`)
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new Error(`holds more than a host and a port; ${form}`)
  }
  const secure = url.protocol === 'https:'
  return {
    secure,
    hostname: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    authorization: url.username === '' && url.password === '' ? null : basic(url),
  }
}

/** RFC 7617 §2. */
function basic({ username, password }: URL): string {
  const [user, pass] = [decoded(username), decoded(password)]
  if (user.includes(':')) throw new Error('has a user name with a colon, which HTTP cannot tell from the password')
  if (/\p{Cc}/u.test(user + pass)) throw new Error('has a user name or password with a control character; remove it')
  return `Basic ${Buffer.from(`${user}:${pass}`).toString('base64')}`
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error(`has a user name or password that is not percent-encoded; ${form}`)
  }
}
