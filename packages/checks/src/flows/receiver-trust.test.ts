/** What a receiver wants to see of us, and we of it: tokens, certificates, authorities; and the way through a proxy. */
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { GivenOAuth2 } from '@posthorn/contract'
import { createSeal, parseMasterKeys, resendDelivery, rewrapCredentials } from '@posthorn/engine'
import { createAuthority, issueCertificate, startEgressProxy, testMasterKeyText } from '@posthorn/engine/testing'
import type { ReceiverOptions } from 'posthorn/receiver'
import { describe, expect, test } from 'vitest'
import { everythingIn, expectNowhere, logOf } from './canary.ts'
import { startTestPosthorn, type TestPosthorn, world } from './posthorn.ts'

const canary = 'canary-4f9d2c7be1a8'
const otherKeyText = Buffer.alloc(32, 'another master key').toString('base64')
const otherSeal = createSeal(parseMasterKeys(otherKeyText), world)
/** Seals with the other master key, and opens with both. */
const both = createSeal(parseMasterKeys(`${otherKeyText},${testMasterKeyText}`), world)

function grantAt(posthorn: TestPosthorn): GivenOAuth2 {
  return {
    type: 'oauth2_client_credentials',
    token_url: `${posthorn.receiver.origin}/token`,
    client_id: 'posthorn',
    client_secret: canary,
  }
}

/** A receiver that also issues tokens, a new one each time. */
function issuing(options: { status?: number; answer?: NonNullable<ReceiverOptions['answer']> } = {}): ReceiverOptions {
  let made = 0
  return {
    answer(request) {
      if (request.path !== '/token') return options.answer?.(request) ?? { status: 204 }
      made += 1
      const body = JSON.stringify({ access_token: `${canary}-token-${made}`, token_type: 'Bearer', expires_in: 3600 })
      return { status: options.status ?? 200, body }
    },
  }
}

/** What the receiver was shown, without the requests for tokens. */
function shown(posthorn: TestPosthorn): (string | undefined)[] {
  return posthorn.receiver.requests.filter(({ path }) => path !== '/token').map(({ headers }) => headers.authorization)
}

function tokensMade(posthorn: TestPosthorn): number {
  return posthorn.receiver.requests.filter(({ path }) => path === '/token').length
}

describe('OAuth2 client credentials', () => {
  test('bring the receiver a token, one for many events, and nobody else sees it or the secret', async () => {
    await using posthorn = await startTestPosthorn(issuing())
    await posthorn.dispatch()
    const subscription = await posthorn.subscribe()
    await posthorn.change(subscription, { auth: grantAt(posthorn) })
    for (let i = 0; i < 5; i += 1) await posthorn.publish()
    const attempts = await posthorn.recorded(5)
    expect(shown(posthorn)).toEqual(Array(5).fill(`Bearer ${canary}-token-1`))
    expect(tokensMade(posthorn)).toBe(1)
    expect(posthorn.receiver.requests.filter(({ signature }) => signature === 'valid')).toHaveLength(5)
    for (const { record } of attempts) {
      expect(record).toMatchObject({ status: 204, requestHeaders: { authorization: '[redacted]' } })
    }
    expectNowhere([canary], logOf(posthorn), await everythingIn(posthorn))
  })

  test('fetch a fresh token when a kept one is refused, and that is still one attempt', async () => {
    let revoked = false
    await using posthorn = await startTestPosthorn(
      issuing({
        answer: ({ headers }) => ({ status: revoked && headers.authorization?.endsWith('-token-1') ? 401 : 204 }),
      }),
    )
    await posthorn.dispatch()
    const subscription = await posthorn.subscribe()
    await posthorn.change(subscription, { auth: grantAt(posthorn) })
    await posthorn.publish()
    await posthorn.recorded(1)
    revoked = true
    await posthorn.publish()
    const attempts = await posthorn.recorded(2)
    expect(attempts[1]?.record).toMatchObject({ number: 1, status: 204, next: { kind: 'delivered' } })
    expect(shown(posthorn)).toEqual([1, 1, 2].map((made) => `Bearer ${canary}-token-${made}`))
    expect(tokensMade(posthorn)).toBe(2)
  })

  test('do not try again with a token that is fresh: a 401 to it is the receiver’s word', async () => {
    await using posthorn = await startTestPosthorn(issuing({ answer: () => ({ status: 401 }) }))
    await posthorn.dispatch()
    const subscription = await posthorn.subscribe()
    await posthorn.change(subscription, { auth: grantAt(posthorn) })
    for (let made = 1; made <= 2; made += 1) {
      if (made === 1) await posthorn.publish()
      else await posthorn.timePasses()
      const attempts = await posthorn.recorded(made)
      expect(attempts.at(-1)?.record).toMatchObject({ number: made, status: 401, failureCode: 'http_4xx' })
    }
    expect(shown(posthorn)).toEqual([1, 2].map((token) => `Bearer ${canary}-token-${token}`))
  })

  test('without a token nothing is sent: the attempt has failed, says why, and the schedule goes on', async () => {
    const issuer = { status: 400 }
    await using posthorn = await startTestPosthorn({
      answer: (request) =>
        request.path === '/token' && issuer.status === 400
          ? { status: 400, body: JSON.stringify({ error: 'invalid_client', error_description: canary }) }
          : (issuing().answer?.(request) ?? { status: 500 }),
    })
    await posthorn.dispatch()
    const subscription = await posthorn.subscribe({ retryScheduleSeconds: [60] })
    await posthorn.change(subscription, { auth: grantAt(posthorn) })
    await posthorn.publish()
    const attempts = await posthorn.recorded(1)
    expect(attempts[0]?.record).toMatchObject({
      status: null,
      failureCode: 'auth_failed',
      failureDetail: expect.stringContaining('400 invalid_client'),
      responseHeaders: {},
      next: { kind: 'retry', scheduleStep: 1 },
      slowDownMs: 0,
    })
    expect(shown(posthorn)).toEqual([])
    expectNowhere([canary], logOf(posthorn), await everythingIn(posthorn))
    issuer.status = 200
    await posthorn.timePasses()
    expect((await posthorn.recorded(2)).at(-1)?.record).toMatchObject({ status: 204 })
  })

  test('share the time-out of the subscription with the request', async () => {
    const released = Promise.withResolvers<void>()
    await using posthorn = await startTestPosthorn({
      answer: async ({ path }) => {
        if (path === '/token') await released.promise
        return { status: 500 }
      },
    })
    await posthorn.dispatch()
    const subscription = await posthorn.subscribe({ timeoutMs: 1_000 })
    await posthorn.change(subscription, { auth: grantAt(posthorn) })
    await posthorn.publish()
    const attempts = await posthorn.recorded(1)
    released.resolve()
    expect(attempts[0]?.record).toMatchObject({ failureCode: 'auth_failed', status: null })
    expect(attempts[0]?.record.totalMs).toBeGreaterThanOrEqual(990)
    expect(attempts[0]?.record.totalMs).toBeLessThan(3_000)
  })
})

const authority = createAuthority('Private')
const clients = createAuthority('Clients')
const client = issueCertificate(clients, { host: 'posthorn.test' })
const settings = {
  client_certificate: client.certificate,
  client_key: client.key,
  ca_certificates: authority.certificate,
}
/** What of the key would give it away. */
const keyLines = client.key.split('\n').slice(1, -2)

/** An https receiver of a private authority that lets nobody in without a certificate. */
async function startStrictReceiver() {
  const { certificate, key } = issueCertificate(authority, { host: '127.0.0.1' })
  const seen: (string | undefined)[] = []
  const options = { cert: certificate, key, requestCert: true, ca: [clients.certificate] }
  const server = createServer(options, (request, response) => {
    // An https server has TLS sockets.
    seen.push((request.socket as TLSSocket).getPeerCertificate().subject.CN?.toString())
    response.writeHead(204).end()
  })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A TCP server has a port.
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `https://127.0.0.1:${port}/hooks`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('a client certificate and a private authority', () => {
  test('are used for the subscription that has them, and nobody sees the key', async () => {
    await using strict = await startStrictReceiver()
    await using posthorn = await startTestPosthorn()
    await posthorn.dispatch({ otherPort: strict.port })
    const subscription = await posthorn.subscribe({ url: strict.url })
    await posthorn.publish()
    expect((await posthorn.recorded(1))[0]?.record).toMatchObject({ status: null, failureCode: 'tls_untrusted' })
    await posthorn.change(subscription, { tls: settings })
    await posthorn.timePasses()
    expect((await posthorn.recorded(2))[1]?.record).toMatchObject({ status: 204, failureCode: null })
    const stranger = await posthorn.subscribe({ url: strict.url })
    await posthorn.publish()
    const attempts = (await posthorn.recorded(4))
      .slice(2)
      .map(({ record }) => [record.subscriptionId, record.failureCode])
    expect(new Map(attempts.map(([id, code]) => [id, code]))).toEqual(
      new Map([
        [subscription.id, null],
        [stranger.id, 'tls_untrusted'],
      ]),
    )
    expect(strict.seen).toEqual(['posthorn.test', 'posthorn.test'])
    expectNowhere(keyLines, logOf(posthorn), await everythingIn(posthorn))
  })

  test('that cannot be opened are not done without: nothing is sent, and the delivery waits', async () => {
    await using posthorn = await startTestPosthorn()
    const subscription = await posthorn.subscribe({ url: 'https://127.0.0.1:8443/', retryScheduleSeconds: [60] })
    await posthorn.change(subscription, { tls: settings })
    await posthorn.dispatch()
    await posthorn.db.prisma.subscription.updateMany({ data: { tlsSealed: Uint8Array.from([1, ...Buffer.alloc(60)]) } })
    await posthorn.publish()
    expect((await posthorn.recorded(1))[0]?.record).toMatchObject({
      failureCode: 'internal_error',
      next: { kind: 'retry', scheduleStep: 0 },
      slowDownMs: 300_000,
    })
    expect(logOf(posthorn)).toContain('unknown_master_key')
    expect(posthorn.receiver.requests).toEqual([])
  })
})

test('credentials for tokens and TLS settings are sealed anew with the first master key, and work with it alone', async () => {
  await using strict = await startStrictReceiver()
  await using posthorn = await startTestPosthorn(issuing())
  const { db } = posthorn
  const [one, two] = [await posthorn.subscribe(), await posthorn.subscribe({ url: strict.url })]
  await posthorn.change(one, { auth: grantAt(posthorn) })
  await posthorn.change(two, { tls: settings, auth: { type: 'bearer', token: 'other' } })
  expect(await rewrapCredentials({ db, seal: both })).toEqual({ sealed: 3, faults: [] })
  expect(await rewrapCredentials({ db, seal: both })).toEqual({ sealed: 0, faults: [] })
  const before = await db.prisma.subscription.findUniqueOrThrow({ where: { id: two.id } })
  const broken = Uint8Array.from(before.tlsSealed ?? [], (byte, index) => (index === 30 ? byte ^ 1 : byte))
  const back = createSeal(parseMasterKeys(`${testMasterKeyText},${otherKeyText}`), world)
  await db.prisma.subscription.update({ where: { id: two.id }, data: { tlsSealed: broken } })
  const { sealed, faults } = await rewrapCredentials({ db, seal: back })
  expect([sealed, faults.map(({ code }) => code)]).toEqual([2, ['seal_broken']])
  await db.prisma.subscription.update({ where: { id: two.id }, data: { tlsSealed: before.tlsSealed } })
  await rewrapCredentials({ db, seal: both })
  for (const { id, tlsSealed, authSealed } of await db.prisma.subscription.findMany()) {
    if (authSealed !== null) expect(() => otherSeal.open(authSealed, `subscription:${id}:auth`)).not.toThrow()
    if (tlsSealed !== null) expect(() => otherSeal.open(tlsSealed, `subscription:${id}:tls`)).not.toThrow()
  }
  await posthorn.dispatch({ otherPort: strict.port, seal: both })
  await posthorn.publish()
  const attempts = await posthorn.recorded(2)
  expect(attempts.map(({ record }) => record.status)).toEqual([204, 204])
})

describe('an egress proxy', () => {
  test('carries events and requests for tokens', async () => {
    await using proxy = await startEgressProxy()
    await using posthorn = await startTestPosthorn(issuing())
    await posthorn.dispatch({ proxy: proxy.url })
    const subscription = await posthorn.subscribe()
    await posthorn.change(subscription, { auth: grantAt(posthorn) })
    await posthorn.publish()
    expect((await posthorn.recorded(1))[0]?.record).toMatchObject({ status: 204 })
    expect(proxy.carried.match(/POST \/(token|hooks)/g)).toEqual(['POST /token', 'POST /hooks'])
  })

  test('that fails costs receivers nothing: deliveries wait, keep their place in the schedule, and are made when it works', async () => {
    await using proxy = await startEgressProxy()
    proxy.answer = () => ({ bytes: 'HTTP/1.1 407 Word\r\n\r\n' })
    await using posthorn = await startTestPosthorn(issuing())
    await posthorn.dispatch({ proxy: proxy.url.replace('://', `://posthorn:${canary}@`) })
    const subscription = await posthorn.subscribe({ retryScheduleSeconds: [60], maxInFlight: 1 })
    const tokened = await posthorn.subscribe({ retryScheduleSeconds: [60], maxInFlight: 1 })
    await posthorn.change(tokened, { auth: grantAt(posthorn) })
    await posthorn.publish()
    for (let round = 1; round <= 3; round += 1) {
      if (round > 1) await posthorn.timePasses()
      for (const { record } of (await posthorn.recorded(2 * round)).slice(-2)) {
        expect(record).toMatchObject({
          number: round,
          status: null,
          failureCode: 'egress_proxy_failed',
          next: { kind: 'retry', scheduleStep: 0 },
        })
        expect(record.slowDownMs).toBeGreaterThanOrEqual(60_000)
        expect(record.slowDownMs).toBeLessThanOrEqual(72_000)
      }
    }
    const { notBefore } = await posthorn.db.prisma.subscription.findUniqueOrThrow({ where: { id: subscription.id } })
    expect((notBefore?.getTime() ?? 0) - Date.now()).toBeGreaterThan(50_000)
    expect(logOf(posthorn).match(/fault of ours at a delivery/g)).toHaveLength(6)
    expect(posthorn.receiver.requests).toEqual([])
    expectNowhere([canary], logOf(posthorn), await everythingIn(posthorn))

    proxy.answer = () => 'tunnel'
    await posthorn.timePasses()
    const attempts = await posthorn.recorded(8)
    expect(attempts.slice(-2).map(({ record }) => record.next.kind)).toEqual(['delivered', 'delivered'])
  })

  test('that fails during a resend leaves it a resend', async () => {
    await using proxy = await startEgressProxy()
    await using posthorn = await startTestPosthorn()
    await posthorn.dispatch({ proxy: proxy.url })
    await posthorn.subscribe()
    const published = await posthorn.publish()
    await posthorn.recorded(1)
    proxy.answer = () => 'reset'
    proxy.drop()
    const deliveryId = published.deliveries[0]?.id ?? ''
    await resendDelivery(posthorn.db, { deliveryId, tenantId: undefined, actor: 'key_1', reason: 'asked' })
    await posthorn.recorded(2)
    proxy.answer = () => 'tunnel'
    await posthorn.timePasses()
    const attempts = await posthorn.recorded(3)
    expect(attempts.map(({ record }) => [record.trigger, record.failureCode])).toEqual([
      ['automatic', null],
      ['resend', 'egress_proxy_failed'],
      ['resend', null],
    ])
  })
})
