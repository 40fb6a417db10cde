/** The API's settings. */
import { readFileSync } from 'node:fs'
import { boolean, integer, optional, parseApiKey, parseEgressAddresses, SettingError, text } from '@posthorn/engine'
import { type Branding, readBranding } from '@posthorn/event-docs'

export const apiSettings = {
  HOST: text({ default: '127.0.0.1' }, 'the address that the API listens on'),
  PORT: integer({ min: 0, max: 65_535, default: 4400 }, 'the port that the API listens on; 0 takes any free one'),
  POSTHORN_PUBLIC_URL: optional(
    { parse: origin },
    'where the API is reached from outside, for links in answers: https://posthorn.example.com',
  ),
  POSTHORN_CORS_ORIGINS: text(
    { default: '', parse: origins },
    'origins whose pages may call the API from the browser, comma-separated: https://app.example.com; none when empty',
  ),
  POSTHORN_CREATE_EVENT_TYPES: boolean(
    { default: false },
    'whether publishing an unknown event type creates it instead of being refused',
  ),
  POSTHORN_CREATE_TENANTS: boolean(
    { default: false },
    'whether publishing for an unknown tenant makes it known instead of being refused',
  ),
  POSTHORN_EGRESS_IPS: text(
    { default: '', parse: parseEgressAddresses },
    'the addresses and networks that requests to receivers come from, comma-separated; shown at /v1/meta to those who must let them in',
  ),
  POSTHORN_EVENT_DOCS: boolean(
    { default: true },
    'whether /event-docs shows the documentation of the event types, to everybody',
  ),
  POSTHORN_EVENT_DOCS_BRANDING: optional(
    { parse: brandingFile },
    'a JSON file with the name, logo and colors of the event documentation; docs/event-docs.md says what may stand in it',
  ),
  POSTHORN_REQUESTS_PER_MINUTE: integer(
    { min: 0, max: 10_000_000, default: 0 },
    'requests in a minute that each API key of the operator may make; 0 is no limit',
  ),
  POSTHORN_TENANT_REQUESTS_PER_MINUTE: integer(
    { min: 0, max: 10_000_000, default: 1_200 },
    'requests in a minute that each credential of a tenant may make; 0 is no limit',
  ),
  POSTHORN_STRANGER_REQUESTS_PER_MINUTE: integer(
    { min: 0, max: 10_000_000, default: 120 },
    'requests in a minute that each address may make without a valid credential before it is answered 429; 0 is no limit',
  ),
  POSTHORN_ADMIN_KEY: optional(
    { secret: true, parse: parseApiKey },
    'an API key of the role admin, made known at start: phk_ and at least 27 letters and digits; another one given before stops working',
  ),
}

/** Read at start, so that a mistake in it is told then. */
function brandingFile(path: string): Branding {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new SettingError(`names a file that cannot be read: ${error instanceof Error ? error.message : path}`)
  }
  try {
    return readBranding(JSON.parse(text))
  } catch (error) {
    throw new SettingError(`names ${path}, which cannot be used: ${error instanceof Error ? error.message : 'no JSON'}`)
  }
}

/** Each once. */
function origins(value: string): readonly string[] {
  const parts = value.split(',').map((part) => part.trim())
  return [...new Set(parts.filter((part) => part !== '').map(origin))]
}

/** An origin, without the slash at its end. */
function origin(value: string): string {
  const url = URL.parse(value)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Error(`"${value}" is no URL; write https:// and the host name`)
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new Error(`"${value}" has more than scheme, host and port; write ${url.origin}`)
  }
  return url.origin
}
