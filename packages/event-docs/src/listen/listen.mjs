#!/usr/bin/env node
/**
 * listen: brings what Posthorn sends to a URL of yours to your own machine too, byte for byte and with the same signature.
 *
 *     POSTHORN_API_KEY=… node listen.mjs --api https://hooks.example.com --to http://127.0.0.1:3000/webhooks
 *
 * One file, without dependencies, for Node.js 20 or newer. It reads the stream of attempts, fetches the request of each
 * one, and sends it to your local receiver, one after the other. It only reads: a delivery is what it was, whatever your
 * receiver answers here.
 *
 * Everything that comes from outside is judged before it is used, is bounded, and is shown without control characters. The
 * key goes to the address of the API alone, and is taken from the environment or the standard input, because others can
 * read a command line.
 */
import { realpathSync } from 'node:fs'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { addAbortSignal } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

/** In milliseconds, unless the name says otherwise. */
export const listenLimits = {
  /** For one answer of the API. */
  answerMs: 30_000,
  answerBytesMax: 4 * 1024 * 1024,
  /** The API says something every 15 s; a stream that was silent for so long is no longer there. */
  silentMs: 45_000,
  /** Of a message of the stream, in characters. */
  messageLengthMax: 64 * 1024,
  /** The first pause before the API is asked again; each further one is twice as long. */
  pauseMs: 1_000,
  pauseMsMax: 30_000,
  /** The longest that the API may ask to wait. */
  retryAfterMsMax: 5 * 60_000,
  /** For one answer of the local receiver: the longest that Posthorn waits for one, too. */
  localMs: 30_000,
  localBytesMax: 64 * 1024,
  /** Attempts that are known to have come. After a pause, the API tells 2,000 again at the most. */
  seenMax: 5_000,
  /** Attempts of one delivery that are looked through for the one that was told of. */
  pagesMax: 50,
  /** What receivers allow between signing and arriving, in seconds. */
  toleranceSeconds: 300,
}

/** Of one thing that it says, and of why an attempt was not forwarded, in characters. */
const saidLengthMax = 2_000
const faultLengthMax = 300

/**
 * @typedef {typeof listenLimits} Limits
 * @typedef {{ write(text: string): unknown }} Output
 * @typedef {object} Parts
 * @property {Readonly<Record<string, string | undefined>>} environment
 * @property {() => import('node:stream').Readable} stdin
 * @property {Output} stdout for what came, a line each
 * @property {Output} stderr for everything else
 * @property {AbortSignal} stop ends it in good order
 * @property {string} [name] how it was called
 * @property {Partial<Limits>} [limits]
 *
 * @typedef {object} Options
 * @property {string} api the address of the API, without a slash at the end
 * @property {URL} to
 * @property {string | undefined} subscription
 * @property {boolean} json
 * @property {boolean} keyFromStdin
 *
 * @typedef {object} Session
 * @property {Options} options
 * @property {string} key
 * @property {Limits} limits
 * @property {AbortSignal} stop
 * @property {(text: string) => void} say
 *
 * @typedef {object} Told one message of the stream, as far as it is used
 * @property {string} attempt_id
 * @property {string} delivery_id
 * @property {string} event_id
 * @property {string} subscription_id
 * @property {string} event_type
 * @property {number} number
 * @property {number | null} http_status
 * @property {string | null} failure_code
 * @property {Date} ended_at
 *
 * @typedef {{ headers: [name: string, value: string][], redacted: string[], body: Buffer }} SentRequest
 * @typedef {{ status?: number, ms?: number, said?: string, fault?: string, signedSecondsAgo?: number }} Outcome
 */

/** It cannot be done. The message says what to do. */
class ListenError extends Error {}

/** The words were wrong. */
class WordsError extends Error {}

/** The API refuses this request, and would refuse it again. */
class Refused extends ListenError {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/** The API cannot answer now, and may do so later. */
class NotNow extends Error {
  /**
   * @param {string} message
   * @param {number} [afterMs] how long it asks to wait
   */
  constructor(message, afterMs = 0) {
    super(message)
    this.afterMs = afterMs
  }
}

/**
 * Runs until `stop`, or until it cannot go on.
 *
 * @param {readonly string[]} words
 * @param {Parts} parts
 * @returns {Promise<number>} an exit code: 0 after `stop`, 1 when it failed, 2 when the words were wrong
 */
export async function listen(words, { environment, stdin, stdout, stderr, stop, name = 'node listen.mjs', limits }) {
  /** @param {string} text */
  const say = (text) => void stderr.write(`listen: ${printable(text.slice(0, saidLengthMax))}\n`)
  try {
    const options = readListenWords(words)
    if (options === 'help') {
      stdout.write(helpText(name))
      return 0
    }
    const key = options.keyFromStdin ? await keyFrom(stdin(), stop) : (environment['POSTHORN_API_KEY'] ?? '').trim()
    checkKey(key, options)
    await run({ options, key, limits: { ...listenLimits, ...limits }, stop, say }, stdout)
    return 0
  } catch (error) {
    if (stop.aborted) return 0
    if (error instanceof WordsError) {
      say(`${error.message}. Try: ${name} --help`)
      return 2
    }
    const isExpected = error instanceof ListenError || error instanceof NotNow
    say(
      isExpected || !(error instanceof Error) ? String(Object(error).message ?? error) : (error.stack ?? error.message),
    )
    return 1
  }
}

/** @param {string} name */
function helpText(name) {
  return `${name} --api URL --to URL|PORT [--subscription ID] [--json]

Brings what Posthorn sends to your subscriptions to your own machine too: the same bytes with the same signature. What
your receiver answers here is shown, and changes nothing about the delivery.

  --api URL            where the API of Posthorn is, such as https://hooks.example.com
  --to URL|PORT        your local receiver, such as http://127.0.0.1:3000/webhooks; a bare 3000 does
  --subscription ID    only what is sent to this one: sub_…
  --json               a line of JSON for each attempt, for programs
  --key-stdin          read the key from the standard input
  --allow-http         send the key over http, where others can read it; loopback needs no permission
  --help               this text

The key is read from POSTHORN_API_KEY: an API key, or the token of a portal session with the capabilities
deliveries:read, payloads:read and secrets:reveal. Ends with 0 after Ctrl+C, 1 when it failed, 2 when the words were wrong.
`
}

// The words

/**
 * @param {readonly string[]} words
 * @returns {Options | 'help'}
 * @throws {WordsError}
 */
export function readListenWords(words) {
  // Not repeated here, for the same reason.
  if (words.some((word) => /ph[ks]_/.test(word)))
    throw new WordsError('a key was given on the command line, where others can read it; set POSTHORN_API_KEY instead')
  const { values, positionals } = parsed(words)
  if (values.help === true) return 'help'
  const [place, ...more] = values.to === undefined ? positionals : [values.to, ...positionals]
  if (more.length > 0) throw new WordsError(`there is one local receiver, and "${more[0]}" is another word`)
  if (values.api === undefined) throw new WordsError('--api is missing: the address of the API of Posthorn')
  if (place === undefined) throw new WordsError('--to is missing: the address of your local receiver')
  if (values.subscription !== undefined && !isId('sub', values.subscription))
    throw new WordsError(`--subscription wants an id such as sub_…, not "${values.subscription}"`)
  return {
    api: apiAddress(values.api, values['allow-http'] === true),
    to: localAddress(place),
    subscription: values.subscription,
    json: values.json === true,
    keyFromStdin: values['key-stdin'] === true,
  }
}

/** @param {readonly string[]} words */
function parsed(words) {
  const [text, flag] = [/** @type {const} */ ({ type: 'string' }), /** @type {const} */ ({ type: 'boolean' })]
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        api: text,
        to: text,
        subscription: text,
        json: flag,
        'key-stdin': flag,
        'allow-http': flag,
        help: { ...flag, short: 'h' },
      },
    })
  } catch (error) {
    const [sentence] = String(Object(error).message).split(/\. |\n/, 1)
    throw new WordsError(sentence)
  }
}

/**
 * @param {string} text
 * @param {boolean} allowHttp
 */
function apiAddress(text, allowHttp) {
  const url = addressOf('--api', text, 'https://hooks.example.com')
  if (/[?#]/.test(text)) throw new WordsError(`--api wants an address without ? and #, not "${text}"`)
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !allowHttp)
    throw new WordsError(
      `--api ${text} would send the key where others can read it; write https://, or add --allow-http`,
    )
  // Where its calls begin is often taken for where the API is.
  return `${url.origin}${url.pathname.replace(/(\/v1)?\/*$/, '')}`
}

/** @param {string} text an address, or a port with or without a path */
function localAddress(text) {
  const [, port, path = '/'] = /^:?(\d{1,5})(\/.*)?$/.exec(text) ?? []
  // By its name, because some servers listen on ::1 alone.
  if (Number(port) > 65_535) throw new WordsError(`there is no port ${port}`)
  return addressOf('--to', port === undefined ? text : `http://localhost:${port}${path}`, 'http://127.0.0.1:3000')
}

/**
 * @param {string} option
 * @param {string} text
 * @param {string} example
 */
function addressOf(option, text, example) {
  const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) throw new WordsError(`${option} wants an address such as ${example}, not "${text}"`)
  if (url.username !== '' || url.password !== '')
    throw new WordsError(`${option} wants an address without a user name and a password`)
  return url
}

/** @param {string} hostname */
function isLoopback(hostname) {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

/**
 * The first line.
 *
 * @param {import('node:stream').Readable} stdin
 * @param {AbortSignal} stop
 */
async function keyFrom(stdin, stop) {
  let text = ''
  for await (const chunk of addAbortSignal(stop, stdin)) {
    text += chunk
    if (text.includes('\n') || text.length > 4096) break
  }
  return (text.split('\n', 1)[0] ?? '').trim()
}

/**
 * @param {string} key
 * @param {Options} options
 * @throws {ListenError}
 */
function checkKey(key, { keyFromStdin }) {
  const place = keyFromStdin ? 'The standard input' : 'POSTHORN_API_KEY'
  if (key === '')
    throw new ListenError(`${place} holds no key. Give an API key (phk_…) or the token of a portal session (phs_…).`)
  if (!/^[!-~]{1,512}$/.test(key)) throw new ListenError(`${place} holds no key: one has no spaces in it, and ends.`)
}

// What comes, one after the other

/**
 * @param {Session} session
 * @param {Output} stdout
 */
async function run(session, stdout) {
  const { options, limits } = session
  const about = await judgeCredential(session)
  /** @type {Set<string>} */
  const seen = new Set()
  /** @type {Set<string>} */
  const namesTold = new Set()
  await follow(session, `Listening to ${about}. Your receiver: ${options.to.href}. Ctrl+C ends this.`, async (told) => {
    if (seen.has(told.attempt_id)) return
    const outcome = await forward(session, told, namesTold)
    const isOne = options.subscription !== undefined
    stdout.write(`${options.json ? jsonLine(told, outcome) : textLine(told, outcome, isOne)}\n`)
    seen.add(told.attempt_id)
    for (const oldest of seen) {
      if (seen.size <= limits.seenMax) break
      seen.delete(oldest)
    }
  })
}

const needs = [
  { permission: 'stream:read', capability: 'deliveries:read', purpose: 'to be told of attempts' },
  { permission: 'deliveries:read', capability: 'deliveries:read', purpose: 'to read attempts' },
  { permission: 'payloads:read', capability: 'payloads:read', purpose: 'to see what events hold' },
  { permission: 'secrets:reveal', capability: 'secrets:reveal', purpose: 'to see signatures' },
]

/**
 * Whether this is the right key, and may do what is needed.
 *
 * @param {Session} session
 * @returns {Promise<string>} what is listened to
 * @throws {ListenError}
 */
async function judgeCredential(session) {
  const { options, say } = session
  const { kind, tenant, role, permissions } = await askJson(session, '/v1/credential')
  if (!Array.isArray(permissions) || typeof kind !== 'string') throw strange(session, 'about the key')
  const missing = needs.filter(({ permission }) => !permissions.includes(permission))
  if (missing.length > 0) {
    const isSession = kind === 'portal_session'
    const named = new Map(missing.map((one) => [isSession ? one.capability : one.permission, one.purpose]))
    const names = [...named].map(([name, purpose]) => `${name} (${purpose})`).join(', ')
    throw new ListenError(
      isSession
        ? `This portal session lacks the capability ${names}. Ask for one with deliveries:read, payloads:read and secrets:reveal.`
        : `This API key${typeof role === 'string' ? ` of the role ${role}` : ''} lacks the permission ${names}. Ask for one of the role tenant.`,
    )
  }
  if (options.subscription === undefined) {
    if (typeof tenant !== 'string')
      throw new WordsError('this key sees every tenant; choose what to listen to with --subscription sub_…')
    return `all subscriptions of ${tenant} (each has a secret of its own; --subscription chooses one)`
  }
  if (!permissions.includes('subscriptions:read')) {
    say(`This key cannot see whether there is ${options.subscription}, and whether it is active (subscriptions:read).`)
    return options.subscription
  }
  const {
    url,
    state,
    breaker_opened_at: openedAt,
  } = await askJson(session, `/v1/subscriptions/${options.subscription}`)
  if (typeof url !== 'string' || typeof state !== 'string') throw strange(session, 'about the subscription')
  if (state !== 'active') say(`${options.subscription} is ${state}: until it is active, nothing is sent to it or here.`)
  if (state === 'active' && typeof openedAt === 'string')
    say(
      `${url} has failed too often: new events are held back, and one comes up to every five minutes. What is resent comes at once.`,
    )
  return `what is sent to ${url} (${options.subscription})`
}

/**
 * Reads the stream, again and again, and does one thing after the other. While something is done nothing is read, so what
 * waits is bounded by what the API keeps for a slow reader: it cuts such a one off, who goes on from where it was.
 *
 * @param {Session} session
 * @param {string} greeting
 * @param {(told: Told) => Promise<void>} onAttempt
 */
async function follow(session, greeting, onAttempt) {
  const { limits, say, stop } = session
  /** @type {string | undefined} */
  let lastId
  let isGreeted = false
  let failures = 0
  for (;;) {
    const beganMs = performance.now()
    let lost = 'The stream has ended'
    let afterMs = 0
    try {
      for await (const { event, data, id } of connection(session, lastId)) {
        if (event === 'open') {
          if (!isGreeted || failures > 0) say(isGreeted ? 'Connected again.' : greeting)
          isGreeted = true
        } else if (event === 'attempt') {
          const told = toldOf(data)
          if (told === undefined) say('A message of the stream was not understood and is left out.')
          else await onAttempt(told)
          failures = 0
        } else if (event === 'reset') say(resetInWords(data))
        else if (event === 'end') {
          if (data.includes('credential_ended'))
            throw new ListenError('The key was revoked, or its time is over. Get another one.')
          if (data.includes('stopping')) lost = 'The API is being stopped or restarted'
          break
        }
        // Also without a message: at the beginning, and in a long silence.
        if (/^[!-~]{1,64}$/.test(id)) lastId = id
      }
    } catch (error) {
      // At the start nobody has to wait to learn that something is wrong.
      if (!(error instanceof NotNow) || !isGreeted) throw error
      lost = error.message
      afterMs = error.afterMs
    }
    if (performance.now() - beganMs > limits.pauseMsMax) failures = 0
    failures += 1
    if (failures === 1) say(`${lost.replace(/\.$/, '')}. Connecting again.`)
    await pause(session, failures, afterMs, stop)
  }
}

/**
 * Messages of one connection. The first one says that it stands.
 *
 * @param {Session} session
 * @param {string | undefined} lastId
 * @returns {AsyncGenerator<{ event: string, data: string, id: string }, void>}
 * @throws {NotNow | ListenError}
 */
async function* connection(session, lastId) {
  const { options, limits, stop } = session
  const query = options.subscription === undefined ? '' : `?subscription=${options.subscription}`
  const limit = createLimit(stop, limits.answerMs)
  try {
    const headers = { accept: 'text/event-stream', ...(lastId === undefined ? {} : { 'last-event-id': lastId }) }
    const response = await ask(session, `/v1/stream${query}`, headers, limit)
    if (!/^text\/event-stream\b/.test(typeOf(response)) || response.body === null)
      throw await refusalOf(session, response, limit)
    yield { event: 'open', data: '', id: '' }
    yield* messagesIn(chunksOf(response.body, limit, limits.silentMs), limits.messageLengthMax)
  } catch (error) {
    throw mended(session, error, limit)
  } finally {
    limit.end()
  }
}

/**
 * @param {ReadableStream<Uint8Array>} body
 * @param {ReturnType<typeof createLimit>} limit counts while something is waited for
 * @param {number} silentMs
 */
async function* chunksOf(body, limit, silentMs) {
  const reader = body.getReader()
  try {
    for (;;) {
      limit.begin(silentMs)
      const { done, value } = await reader.read()
      limit.rest()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

/**
 * Server-sent events, by the standard of HTML (§9.2.6), as far as Posthorn writes them; and ids that are given without one.
 *
 * @param {AsyncIterable<Uint8Array>} chunks
 * @param {number} lengthMax
 * @throws {ListenError} for a message that never ends
 */
export async function* messagesIn(chunks, lengthMax) {
  const decoder = new TextDecoder()
  let rest = ''
  let event = ''
  /** @type {string[]} */
  let data = []
  let id = ''
  let length = 0
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true })
    // A CR at the end may be the first half of a line break.
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
      if (name === 'event') event = value
      else if (name === 'id') id = value
      else if (name === 'data') {
        data.push(value)
        length += value.length
      }
      if (length > lengthMax) break
      if (line !== '') continue
      if (data.length > 0) yield { event: event || 'message', data: data.join('\n'), id }
      else if (id !== '') yield { event: '', data: '', id }
      event = ''
      id = ''
      data = []
      length = 0
    }
    if (length > lengthMax || rest.length > lengthMax)
      throw new ListenError('A message of the stream never ends. Is --api the address of Posthorn?')
  }
}

/**
 * @param {string} data
 * @returns {Told | undefined}
 */
function toldOf(data) {
  const {
    attempt_id,
    delivery_id,
    event_id,
    subscription_id,
    event_type,
    number,
    http_status,
    failure_code,
    ended_at,
  } = objectIn(data)
  const endedAt = new Date(typeof ended_at === 'string' ? ended_at : Number.NaN)
  const isWhole =
    isId('att', attempt_id) &&
    isId('dlv', delivery_id) &&
    isId('evt', event_id) &&
    isId('sub', subscription_id) &&
    typeof event_type === 'string' &&
    event_type.length <= 128 &&
    Number.isSafeInteger(number) &&
    (http_status === null || Number.isSafeInteger(http_status)) &&
    (failure_code === null || (typeof failure_code === 'string' && failure_code.length <= 64)) &&
    !Number.isNaN(endedAt.getTime())
  if (!isWhole) return undefined
  return {
    attempt_id,
    delivery_id,
    event_id,
    subscription_id,
    event_type,
    number,
    http_status,
    failure_code,
    ended_at: endedAt,
  }
}

/** @param {string} data */
function resetInWords(data) {
  const { reason } = objectIn(data)
  const reasons = {
    unknown_position: 'the API no longer knows where this stopped',
    too_old: 'this was away for too long',
    too_much: 'too much was sent meanwhile',
    interrupted: 'the API could not follow for a moment',
  }
  const why = Object.hasOwn(reasons, reason) ? Reflect.get(reasons, reason) : 'the API does not say why'
  return `Some attempts may be missing: ${why}. A delivery that is resent comes here again.`
}

/**
 * @param {string} noun
 * @param {unknown} value
 */
function isId(noun, value) {
  return typeof value === 'string' && new RegExp(`^${noun}_[0-7][0-9a-hjkmnp-tv-z]{25}$`).test(value)
}

// From the API to the local receiver

/**
 * @param {Session} session
 * @param {Told} told
 * @param {Set<string>} namesTold names of headers of which was said that they are left out
 * @returns {Promise<Outcome>}
 */
async function forward(session, told, namesTold) {
  const sent = await patiently(session, () => requestOf(session, told))
  if (typeof sent === 'string') return { fault: sent }
  const left = sent.redacted.filter((name) => !namesTold.has(name))
  if (left.length > 0 && namesTold.size < 100) {
    for (const name of left) namesTold.add(name)
    session.say(`Left out, because the API shows it to nobody or not to this key: the header ${left.join(', ')}.`)
  }
  const signedAt = Number(sent.headers.find(([name]) => name === 'webhook-timestamp')?.[1])
  const secondsAgo = Math.floor(Date.now() / 1000) - signedAt
  const outcome = await send(session, sent)
  return secondsAgo > session.limits.toleranceSeconds ? { ...outcome, signedSecondsAgo: secondsAgo } : outcome
}

/**
 * The request of exactly this attempt. A page of one attempt says its body, whatever others were sent with.
 *
 * @param {Session} session
 * @param {Told} told
 * @returns {Promise<SentRequest | string>} why there is none
 */
async function requestOf(session, { delivery_id, attempt_id }) {
  const path = `/v1/deliveries/${delivery_id}/attempts?limit=1`
  let cursor = ''
  for (let pages = 0; pages < session.limits.pagesMax; pages += 1) {
    /** @type {Record<string, any>} */
    let page
    try {
      page = await askJson(session, cursor === '' ? path : `${path}&cursor=${encodeURIComponent(cursor)}`)
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return error.message
      throw error
    }
    const { data, next_cursor, request_body } = page
    if (!Array.isArray(data) || data.length > 1) throw strange(session, 'about attempts')
    if (data[0]?.id === attempt_id) return sentRequest(data[0], request_body) ?? 'its request is not one of Posthorn'
    if (typeof next_cursor !== 'string' || next_cursor === '') break
    cursor = next_cursor
  }
  return 'the API does not show this attempt any more'
}

/** They belong to a connection, or are made for each. */
const ofConnections = new Set([
  ...['connection', 'content-length', 'expect', 'host', 'keep-alive', 'proxy-authenticate', 'proxy-authorization'],
  ...['proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
])
/** Stands in place of what is not shown. */
const redacted = '[redacted]'

/**
 * @param {any} attempt
 * @param {unknown} body
 * @returns {SentRequest | string | undefined} why there is none; undefined when it does not have the form of one
 */
function sentRequest(attempt, body) {
  const headers = attempt?.request?.headers
  if (typeof headers !== 'object' || headers === null) return undefined
  if (typeof attempt.erased_at === 'string') return 'its content was erased'
  const all = Object.entries(headers).map(([name, value]) => /** @type {const} */ ([name.toLowerCase(), value]))
  const isSendable = all.every(
    ([name, value]) =>
      /^[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/.test(name) &&
      typeof value === 'string' &&
      /^[\t -~\x80-\xff]{0,8192}$/.test(value),
  )
  if (!isSendable || all.length > 200) return undefined
  const named = all.filter(([name]) => !ofConnections.has(name))
  const shown = named.filter(([, value]) => value !== redacted)
  if (!named.some(([name]) => name === 'webhook-signature')) return 'Posthorn has sent no request'
  if (!shown.some(([name]) => name === 'webhook-signature')) return 'the API does not show its signature'
  if (body === null) return 'the API cannot tell its body any more'
  if (typeof body !== 'string') return undefined
  const left = named.filter(([, value]) => value === redacted)
  return {
    headers: shown.map(([name, value]) => [name, value]),
    redacted: left.map(([name]) => name),
    body: Buffer.from(body),
  }
}

/**
 * @param {Session} session
 * @param {SentRequest} sent
 * @returns {Promise<Outcome>}
 */
function send({ options: { to }, limits, stop }, { headers, body }) {
  const limit = createLimit(stop, limits.localMs)
  const beganMs = performance.now()
  const ended = new Promise((resolve) => {
    const request = to.protocol === 'https:' ? requestHttps : requestHttp
    // A connection of its own: a receiver that is restarted leaves none behind that looks open.
    const sending = request(to, { method: 'POST', agent: false, signal: limit.signal })
    /** @type {Buffer[]} */
    const chunks = []
    let bytes = 0
    /** @type {number | undefined} */
    let status
    /** @param {Error} [error] */
    const end = (error) => {
      const fault =
        error === undefined
          ? {}
          : { fault: limit.isOver() ? `no answer within ${limits.localMs / 1000} s` : reasonOf(error, to) }
      const said = Buffer.concat(chunks).toString('utf8')
      resolve(status === undefined ? fault : { status, ms: Math.round(performance.now() - beganMs), said })
      sending.destroy()
    }
    for (const [name, value] of headers) sending.setHeader(name, value)
    sending.on('error', end)
    sending.on('response', (response) => {
      status = response.statusCode
      response.on('data', (chunk) => {
        bytes += chunk.length
        chunks.push(chunk)
        if (bytes > limits.localBytesMax) end()
      })
      response.on('end', () => end())
      response.on('error', end)
    })
    sending.end(body)
  })
  return ended
    .finally(() => limit.end())
    .then((outcome) => {
      stop.throwIfAborted()
      return outcome
    })
}

// Asking the API

/**
 * Asks as often as it takes: what was told of once is not told of again.
 *
 * @template T
 * @param {Session} session
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function patiently(session, work) {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof NotNow)) throw error
      if (failures === 1) session.say(`${error.message.replace(/\.$/, '')}. Asking again.`)
      await pause(session, failures, error.afterMs, session.stop)
    }
  }
}

/**
 * @param {Session} session
 * @param {string} path
 * @returns {Promise<Record<string, any>>}
 * @throws {NotNow | ListenError}
 */
async function askJson(session, path) {
  const limit = createLimit(session.stop, session.limits.answerMs)
  try {
    const response = await ask(session, path, { accept: 'application/json' }, limit)
    const text = await textOf(session, response)
    if (!/^application\/json\b/.test(typeOf(response))) throw foreign(session, response)
    return objectIn(text)
  } catch (error) {
    throw mended(session, error, limit)
  } finally {
    limit.end()
  }
}

/**
 * @param {Session} session
 * @param {string} path
 * @param {Record<string, string>} headers
 * @param {ReturnType<typeof createLimit>} limit
 */
async function ask(session, path, headers, limit) {
  const response = await fetch(`${session.options.api}${path}`, {
    headers: { ...headers, authorization: `Bearer ${session.key}` },
    // The key is for this address, and for no other that it may name.
    redirect: 'manual',
    cache: 'no-store',
    signal: limit.signal,
  })
  if (response.status !== 200) throw await refusalOf(session, response, limit)
  return response
}

/**
 * What an answer says that is not the one that was asked for.
 *
 * @param {Session} session
 * @param {Response} response
 * @param {ReturnType<typeof createLimit>} limit
 * @returns {Promise<NotNow | ListenError>}
 */
async function refusalOf(session, response, limit) {
  const { api } = session.options
  const { status, headers } = response
  if (status >= 300 && status < 400) {
    await response.body?.cancel()
    return new ListenError(
      `${api} answers with a redirect to ${headers.get('location') ?? 'nowhere'}, which is not followed: the key is for this address alone. If that is where the API is, give it with --api.`,
    )
  }
  limit.begin(session.limits.answerMs)
  const { detail } = objectIn(await textOf(session, response))
  const isProblem = /^application\/problem\+json\b/.test(typeOf(response)) && typeof detail === 'string'
  const words = isProblem ? detail : `${api} answers ${status}`
  if (status === 401)
    return new Refused(status, `${api} does not take this key: ${isProblem ? detail : 'it answers 401'}`)
  if (status === 408 || status === 429 || status >= 500) return new NotNow(words, retryAfterMs(headers))
  return isProblem ? new Refused(status, detail) : foreign(session, response)
}

/** @param {Headers} headers */
function retryAfterMs(headers) {
  const text = headers.get('retry-after') ?? ''
  return /^\d{1,9}$/.test(text) ? Number(text) * 1000 : 0
}

/**
 * @param {Session} session
 * @param {Response} response
 */
function foreign({ options }, response) {
  const type = typeOf(response) || 'no content type'
  return new ListenError(
    `${options.api} answers ${response.status} with ${type}, as Posthorn never does. Is --api right, and what stands in front of it?`,
  )
}

/**
 * @param {Session} session
 * @param {string} about
 */
function strange({ options }, about) {
  return new ListenError(`${options.api} says something ${about} that is not understood. Is it the API of Posthorn?`)
}

/** @param {Response} response */
function typeOf(response) {
  return response.headers.get('content-type') ?? ''
}

/**
 * The whole answer, if it is none that fills the memory.
 *
 * @param {Session} session
 * @param {Response} response
 */
async function textOf({ options, limits }, response) {
  /** @type {Uint8Array[]} */
  const chunks = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > limits.answerBytesMax)
      throw new ListenError(
        `${options.api} answers with more than ${limits.answerBytesMax} bytes, as Posthorn never does.`,
      )
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * @param {string} text
 * @returns {Record<string, any>} empty when it is no object
 */
function objectIn(text) {
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
  } catch {
    return {}
  }
}

/**
 * What went wrong while the API was asked, as an error of ours.
 *
 * @param {Session} session
 * @param {unknown} error
 * @param {ReturnType<typeof createLimit>} limit
 */
function mended({ options, stop }, error, limit) {
  if (stop.aborted || error instanceof ListenError || error instanceof NotNow) return error
  if (limit.isOver()) return new NotNow(`${options.api} says nothing`)
  return new NotNow(`${options.api} does not answer: ${reasonOf(error, new URL(options.api))}`)
}

/**
 * Why a connection failed, in plain words.
 *
 * @param {unknown} error
 * @param {URL} url
 */
function reasonOf(error, { host, hostname }) {
  const thrown = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const { code = '', message = String(error) } = Object(thrown)
  if (code === 'ECONNREFUSED') return `nothing listens on ${host}`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `there is no host ${hostname}`
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET') return 'the connection was broken off'
  if (code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT') return `${host} cannot be reached in time`
  if (/^HPE_/.test(code)) return 'what it says is no HTTP'
  if (code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER') return `${host} does not speak TLS`
  if (/CERT|SELF_SIGNED|ISSUER|ALTNAME/.test(code))
    return `its certificate is not trusted (${code}); NODE_EXTRA_CA_CERTS names a file with more authorities`
  return code === '' ? message : `${message} (${code})`
}

// Time

/**
 * A signal that is aborted by `stop`, and when its time is over. `begin` gives it a new time, `rest` takes it away.
 *
 * @param {AbortSignal} stop
 * @param {number} ms
 */
function createLimit(stop, ms) {
  const controller = new AbortController()
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  let isOver = false
  const onStop = () => controller.abort(stop.reason)
  if (stop.aborted) onStop()
  else stop.addEventListener('abort', onStop, { once: true })
  const rest = () => clearTimeout(timer)
  /** @param {number} newMs */
  const begin = (newMs) => {
    rest()
    timer = setTimeout(() => {
      isOver = true
      controller.abort()
    }, newMs)
  }
  begin(ms)
  return {
    signal: controller.signal,
    begin,
    rest,
    isOver: () => isOver,
    /** Also breaks off what still goes on. */
    end() {
      rest()
      stop.removeEventListener('abort', onStop)
      controller.abort()
    },
  }
}

/**
 * Between half of the pause and all of it, so that those who were cut off together do not come back together.
 *
 * @param {Session} session
 * @param {number} failures
 * @param {number} afterMs
 * @param {AbortSignal} stop
 * @returns {Promise<void>}
 */
function pause({ limits }, failures, afterMs, stop) {
  const wholeMs = Math.min(limits.pauseMs * 2 ** (failures - 1), limits.pauseMsMax)
  const ms = Math.max((wholeMs * (1 + Math.random())) / 2, Math.min(afterMs, limits.retryAfterMsMax))
  return new Promise((resolve, reject) => {
    const onStop = () => {
      clearTimeout(timer)
      reject(stop.reason)
    }
    const timer = setTimeout(() => {
      stop.removeEventListener('abort', onStop)
      resolve()
    }, ms)
    if (stop.aborted) onStop()
    else stop.addEventListener('abort', onStop, { once: true })
  })
}

// Lines

/**
 * @param {Told} told
 * @param {Outcome} outcome
 * @param {boolean} isOne everything is of one subscription
 */
function textLine(told, outcome, isOne) {
  const { ended_at, event_id, subscription_id, event_type, number, http_status, failure_code } = told
  const time = [ended_at.getHours(), ended_at.getMinutes(), ended_at.getSeconds()]
  const clock = time.map((part) => String(part).padStart(2, '0')).join(':')
  const there = http_status ?? failure_code ?? 'no answer'
  const id = isOne ? event_id : `${event_id}  ${subscription_id}`
  return printable(`${clock}  ${id}  ${event_type}  attempt ${number}: ${there}  → ${inWords(outcome)}`)
}

/** @param {Outcome} outcome */
function inWords({ status, ms, said = '', fault, signedSecondsAgo }) {
  const age = signedSecondsAgo === undefined ? '' : ` (signed ${signedSecondsAgo} s ago, which receivers refuse)`
  if (status === undefined) return `${fault?.slice(0, faultLengthMax)}${age}`
  const isAccepted = status >= 200 && status < 300
  const excerpt = said.trim().slice(0, 200)
  return `${status} in ${ms} ms${age}${isAccepted || excerpt === '' ? '' : `: ${excerpt}`}`
}

/**
 * @param {Told} told
 * @param {Outcome} outcome
 */
function jsonLine({ ended_at, number, event_type, ...told }, { status, ms, fault, signedSecondsAgo }) {
  const local = status === undefined ? { fault: printable((fault ?? '').slice(0, faultLengthMax)) } : { status, ms }
  const age = signedSecondsAgo === undefined ? {} : { signed_seconds_ago: signedSecondsAgo }
  const failure = told.failure_code === null ? null : printable(told.failure_code)
  const line = { ...told, failure_code: failure, event_type: printable(event_type), attempt: number }
  return JSON.stringify({ ended_at: ended_at.toISOString(), ...line, local: { ...local, ...age } })
}

/**
 * As one line of what can be seen: a terminal obeys control characters, and turns around what directions of writing ask for.
 *
 * @param {string} text
 */
export function printable(text) {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\ufffd')
}

// Started as a program

function isStarted() {
  try {
    return pathToFileURL(realpathSync(process.argv[1] ?? '')).href === import.meta.url
  } catch {
    return false
  }
}

if (isStarted()) {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop.abort(signal))
  // Whoever read the lines has gone.
  process.stdout.on('error', () => {
    process.exitCode = 1
    stop.abort('SIGPIPE')
  })
  const { env: environment, stdout, stderr } = process
  const code = await listen(process.argv.slice(2), {
    environment,
    stdin: () => process.stdin,
    stdout,
    stderr,
    stop: stop.signal,
  })
  process.exitCode ||= code
}
