/**
 * Values as a reader expects them by the name of a field: an e-mail address in `email`, a time in `created_at`. Whether
 * one fits the schema is for the caller to find out, so there are several forms of each.
 *
 * Nothing here belongs to somebody: names of hosts and numbers are those that are reserved for examples (RFC 2606, RFC
 * 5737, 555-01xx).
 */
import type { Draws } from './seeded.ts'

/** All times of examples lie on one day, so that they do not depend on the day of the build. */
const day = '2026-01-15'
const moments = [`${day}T09:30:00Z`, `${day}T10:45:30Z`, `${day}T16:00:00Z`]
const idLetters = '0123456789abcdefghjkmnpqrstvwxyz'
const idLength = 14
/** What a name says is said by so many characters. */
const nameLengthMax = 40

/** Of formats of JSON Schema. A text of another format looks as any text does. */
const ofFormats: Readonly<Record<string, readonly string[]>> = {
  'date-time': moments,
  date: [day, '2026-01-31', '2026-02-28'],
  time: ['09:30:00Z', '10:45:30Z', '16:00:00Z'],
  duration: ['P30D', 'PT15M', 'P1Y'],
  email: ['ada@example.com', 'grace@example.com', 'alan@example.org'],
  'idn-email': ['ada@example.com', 'grace@example.com'],
  hostname: ['api.example.com', 'shop.example.com', 'www.example.org'],
  'idn-hostname': ['api.example.com', 'shop.example.com'],
  ipv4: ['203.0.113.7', '198.51.100.24', '192.0.2.1'],
  ipv6: ['2001:db8::7', '2001:db8::24'],
  uri: ['https://example.com/orders/1042', 'https://example.com/items/7', 'https://example.org/'],
  'uri-reference': ['/orders/1042', '/items/7'],
  iri: ['https://example.com/orders/1042', 'https://example.org/'],
  'json-pointer': ['/data/id', '/data/lines/0'],
  'relative-json-pointer': ['0', '1/id'],
  regex: ['^[a-z]+$'],
}

/** By the last words of a name, the longest first. */
const texts: readonly (readonly [pattern: RegExp, values: readonly string[]])[] = [
  [/(^| )e ?mail( address)?$/, ['ada@example.com', 'grace@example.com', 'alan@example.org']],
  [/(^| )(url|uri|link|href|website|homepage)$/, ['https://example.com/orders/1042', 'https://example.com/items/7']],
  [/(^| )(image|photo|avatar|picture|logo)$/, ['https://example.com/images/1.png', 'https://example.com/images/2.png']],
  [/(^| )(at|time|timestamp|date|on|since|until|expires|expiry)$/, [...moments, day]],
  [/(^| )(first|given) name$/, ['Ada', 'Grace', 'Alan']],
  [/(^| )(last|family) name$|^surname$/, ['Lovelace', 'Hopper', 'Turing']],
  [/(^| )(file|filename|file name|path)$/, ['invoice-1042.pdf', 'receipt-7.pdf']],
  [/(^| )(company|organi[sz]ation|merchant|vendor|supplier|brand name)( name)?$/, ['Acme Ltd', 'Example GmbH']],
  [/(^| )(product|item|plan) name$/, ['Notebook', 'Pencil', 'Desk lamp']],
  [/(^| )(user|login|nick) ?name$/, ['ada', 'grace']],
  [/(^| )name$|^(customer|author|owner|assignee|contact)$/, ['Ada Lovelace', 'Grace Hopper', 'Alan Turing']],
  [/(^| )(phone|mobile|fax|tel|telephone)( number)?$/, ['+12025550142', '+12025550143', '202-555-0142']],
  [/(^| )currency( code)?$/, ['EUR', 'USD', 'GBP', 'eur', 'usd']],
  [/(^| )country( code)?$/, ['DE', 'FR', 'US', 'DEU', 'de', 'Germany']],
  [/(^| )(city|town)$/, ['Berlin', 'Paris', 'Lisbon']],
  [/(^| )(street|address|line ?1|address line)$/, ['1 Example Street', '22 Sample Road']],
  [/(^| )line ?2$/, ['Floor 3', 'Apartment 12']],
  [/(^| )(zip|postal|post)( ?code)?$/, ['10115', '75001', '10115-0001']],
  [/(^| )(region|province|county)$/, ['Bavaria', 'Normandy', 'BY']],
  [/(^| )(locale|language|lang)( code)?$/, ['en-GB', 'de-DE', 'en', 'en_GB']],
  [/(^| )(time ?zone|tz)$/, ['Europe/Berlin', 'UTC']],
  [/(^| )(status|state)$/, ['active', 'pending', 'closed']],
  [/(^| )ip( address)?$/, ['203.0.113.7', '198.51.100.24']],
  [/(^| )(host|hostname|domain)$/, ['api.example.com', 'shop.example.com']],
  [/(^| )user agent$/, ['Mozilla/5.0 (X11; Linux x86_64)']],
  [/(^| )(last ?4|last four)$/, ['4242', '1881']],
  [/(^| )(card )?brand$/, ['visa', 'mastercard']],
  [/(^| )iban$/, ['DE89370400440532013000']],
  [/(^| )sku$/, ['NB-A5-001', 'PC-HB-010']],
  [/(^| )slug$/, ['notebook-a5', 'pencil-hb']],
  [/(^| )colou?r$/, ['#4f46e5', 'blue']],
  [/(^| )version$/, ['1.4.2', '2.0.0']],
  [/(^| )(mime|media|content) type$/, ['application/pdf', 'image/png']],
  [/(^| )(hash|checksum|digest|sha ?256)$/, ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08']],
  [/(^| )(number|no|reference|ref|code)$/, ['1042', 'A-1042', 'B-7']],
  [/(^| )(type|kind|category|method|mode|source|channel)$/, ['standard', 'other']],
  [/(^| )(reason|cause)$/, ['requested_by_customer', 'duplicate']],
  [/(^| )(title|subject|headline)$/, ['Your order is on its way', 'Welcome']],
  [/(^| )(description|summary)$/, ['Notebook A5, dotted', 'Pencil HB, box of ten']],
  [/(^| )(message|note|notes|comment|text|body|content)$/, ['Please ring twice.', 'Thank you!']],
]

const numbers: readonly (readonly [pattern: RegExp, values: readonly number[]])[] = [
  [
    /(^| )(amount|total|price|subtotal|cost|balance|value|revenue|net|gross|paid|due)( cents)?$/,
    [4900, 1250, 49.5, 9.5, 49, 5],
  ],
  [/(^| )(tax|fee|discount|shipping|tip|refund)( cents)?$/, [931, 200, 9.5, 2, 1]],
  [/(^| )(quantity|qty|count|items|units|seats)$/, [2, 1, 3]],
  [/(^| )(percent|percentage|rate|ratio|share)$/, [19, 7, 0.19, 0.5, 1]],
  [/(^| )(at|time|timestamp|date|expires|since|until)( ms)?$/, [1_768_469_400, 1_768_473_930, 1_768_469_400_000]],
  [/(^| )(lat|latitude)$/, [52.52, 48.85, 52]],
  [/(^| )(lng|lon|long|longitude)$/, [13.4, 2.35, 13]],
  [/(^| )year$/, [2026, 2027]],
  [/(^| )month$/, [1, 2]],
  [/(^| )day$/, [15, 28]],
  [/(^| )age$/, [36, 45]],
  [/(^| )port$/, [443, 8080]],
  [/(^| )(size|bytes|length|weight)$/, [2048, 512, 1.5, 2]],
  [/(^| )(ms|milliseconds|duration|latency)$/, [250, 1200]],
  [/(^| )(seconds|minutes|hours|days)$/, [30, 60]],
  [/(^| )(id|number|no)$/, [1042, 1043, 7]],
  [/(^| )(index|position|rank|version|sequence|attempt|page)$/, [1, 2, 3]],
]

const anyNumbers = [1, 2, 3, 10, 42, 100, 0, 0.5, 1.25, 1000, -1]

/** What a field is called, and where: the thing that an `id` is of. */
export type Named = {
  readonly name: string
  /** The nearest thing around it that has a name: `customer` of `data.customer.id`; the event type at the root. */
  readonly thing: string
}

export function isKnownFormat(format: unknown): boolean {
  return format === 'uuid' || (typeof format === 'string' && Object.hasOwn(ofFormats, format))
}

/** Groups of forms, the nicest first: one of the first group of which some fit. */
export function textsFor(named: Named, format: unknown, draws: Draws): readonly (readonly string[])[] {
  const words = wordsOf(named.name)
  if (format === 'uuid' || /(^| )(uuid|guid)$/.test(words)) return [[uuidOf(draws)]]
  const ofFormat = typeof format === 'string' && Object.hasOwn(ofFormats, format) ? ofFormats[format] : undefined
  const byName = texts.find(([pattern]) => pattern.test(words))?.[1] ?? []
  // A name says more than `uri` does.
  if (ofFormat !== undefined) return format === 'uri' ? [byName.filter(isAddress), ofFormat] : [ofFormat]
  if (/(^| )(id|token|key)$/.test(words)) return idsOf(named, words, draws)
  return [
    byName,
    [`Example ${words}`, `Another ${words}`, `One more ${words}`],
    ['example', 'another'],
    [words],
    ['a', 'b'],
  ]
}

export function numbersFor({ name }: Named): readonly (readonly number[])[] {
  const words = wordsOf(name)
  return [numbers.find(([pattern]) => pattern.test(words))?.[1] ?? [], anyNumbers]
}

function isAddress(text: string): boolean {
  return text.startsWith('https://')
}

/** `lineItems`, `line_items` and `line-items` are the same words. */
export function wordsOf(name: string): string {
  const parted = name
    .slice(0, nameLengthMax)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
  return parted.trim().toLowerCase() || 'value'
}

/** What one of several is called: `tag` of `tags`. */
export function singular(name: string): string {
  return name
    .replace(/ies$/, 'y')
    .replace(/(ss|x|ch|sh)es$/, '$1')
    .replace(/([^s])s$/, '$1')
}

/** `inv_…` for the id of an invoice, as many publishers write them; then forms that stricter schemas ask for. */
function idsOf({ thing }: Named, words: string, draws: Draws): string[][] {
  const own = words.split(' ').slice(0, -1).join('')
  const prefix = (own || wordsOf(thing).split(' ').at(-1) || 'id').slice(0, 3)
  const id = Array.from({ length: idLength }, () => idLetters.charAt(draws.below(idLetters.length))).join('')
  return [[`${prefix}_${id}`], [id], [uuidOf(draws)], [`${1000 + draws.below(9000)}`], ['a', 'b']]
}

function uuidOf(draws: Draws): string {
  const digits = Array.from({ length: 32 }, () => draws.below(16).toString(16))
  digits[12] = '4'
  digits[16] = '8'
  const text = digits.join('')
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-')
}
