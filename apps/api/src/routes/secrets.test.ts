import { createPrivateKey, randomBytes } from 'node:crypto'
import { limits, parseId } from '@posthorn/contract'
import { openSecret } from '@posthorn/engine'
import { testSeal } from '@posthorn/engine/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const draft = { url: callbackUrl, event_types: ['invoice.*'] }
const day = 24 * 3600 * 1000

async function created(more: object = {}) {
  const { status, body } = await api.ask('POST', '/v1/tenants/acme/subscriptions', { ...draft, ...more })
  expect(status).toBe(201)
  return body
}

const rotate = (id: string, body?: object) => api.ask('POST', `/v1/subscriptions/${id}/secrets`, body)
const pairs = (id: string, body?: object) => api.ask('POST', `/v1/subscriptions/${id}/public-keys`, body)

/** Texts and ends of the secrets that sign, as they are revealed. */
async function revealed(id: string): Promise<[secret: string, endsInMs: number | null][]> {
  const { body } = await api.ask('GET', `/v1/subscriptions/${id}/secrets`)
  return body.data.map((one: { secret: string; expires_at: string | null }) => [
    one.secret,
    one.expires_at === null ? null : Date.parse(one.expires_at) - Date.now(),
  ])
}

/** Asserts that it is so many milliseconds, give or take what a test may last. */
function expectAbout(actual: number | null | undefined, expected: number): void {
  expect(Math.abs((actual ?? Number.NaN) - expected)).toBeLessThan(60_000)
}

describe('rotating a secret', () => {
  test('201 with a new current one, and the old one goes on for a day', async () => {
    const one = await created()
    const { status, body } = await rotate(one.id)
    expect(status).toBe(201)
    expect(body).toEqual({
      id: expect.stringMatching(/^sec_/),
      secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{48}$/),
      created_at: expect.any(String),
      expires_at: null,
      older: [{ id: expect.stringMatching(/^sec_/), expires_at: expect.any(String) }],
    })
    expectAbout(Date.parse(body.older[0].expires_at) - Date.now(), day)
    expect(body.secret).not.toBe(one.secret)
    const shown = await revealed(one.id)
    expect(shown.map(([secret]) => secret)).toEqual([body.secret, one.secret])
    expect(shown[0]?.[1]).toBeNull()
    expectAbout(shown[1]?.[1], day)
  })

  test('the caller may bring the new one along', async () => {
    const one = await created()
    const secret = `whsec_${randomBytes(32).toString('base64')}`
    expect((await rotate(one.id, { secret, overlap_seconds: 60 })).body.secret).toBe(secret)
    expect((await revealed(one.id)).map(([shown]) => shown)).toEqual([secret, one.secret])
  })

  test('the current one is refused as a new one: nothing would change, and requests would be signed by it twice', async () => {
    const one = await created()
    const { status, body, text } = await rotate(one.id, { secret: one.secret })
    expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'invalid_secret', '/secret'])
    expect(text).not.toContain(one.secret)
    expect(await revealed(one.id)).toEqual([[one.secret, null]])
  })

  test('an older one may become the current one again, and is then no older one', async () => {
    const one = await created()
    const { secret } = (await rotate(one.id)).body
    const { status, body } = await rotate(one.id, { secret: one.secret })
    expect([status, body.older.length]).toEqual([201, 1])
    expect((await revealed(one.id)).map(([shown]) => shown)).toEqual([one.secret, secret])
    // What has ended and is only kept to be recognised, likewise.
    await rotate(one.id, { overlap_seconds: 0 })
    expect((await rotate(one.id, { secret, overlap_seconds: 0 })).body.older).toEqual([])
    expect(await revealed(one.id)).toEqual([[secret, null]])
  })

  test('several may overlap, and none ends later than was said before', async () => {
    const one = await created()
    const second = (await rotate(one.id, { overlap_seconds: 3600 })).body.secret
    const third = (await rotate(one.id, { overlap_seconds: 7200 })).body.secret
    const shown = await revealed(one.id)
    expect(shown.map(([secret]) => secret)).toEqual([third, second, one.secret])
    expectAbout(shown[1]?.[1], 7_200_000)
    expectAbout(shown[2]?.[1], 3_600_000)
    const fourth = (await rotate(one.id, { overlap_seconds: 600 })).body.secret
    const cut = await revealed(one.id)
    expect(cut.map(([secret]) => secret)).toEqual([fourth, third, second, one.secret])
    for (const [, endsInMs] of cut.slice(1)) expectAbout(endsInMs, 600_000)
  })

  test('without an overlap all older ones end at once', async () => {
    const one = await created()
    await rotate(one.id)
    const { body } = await rotate(one.id, { overlap_seconds: 0 })
    expect(await revealed(one.id)).toEqual([[body.secret, null]])
    // What has ended stays until the next rotation, to be recognised, and is not what signs.
    const subscriptionId = parseId('subscription', one.id) ?? ''
    const ended = () => api.db.prisma.secret.count({ where: { subscriptionId, ended: true } })
    expect(await ended()).toBe(2)
    await rotate(one.id)
    expect([await ended(), await api.db.prisma.secret.count({ where: { subscriptionId } })]).toEqual([0, 2])
  })

  test(`422 when more than ${limits.signingKeysMax} would sign at once; nothing has changed then, and 0 seconds are the way out`, async () => {
    const one = await created()
    for (let made = 1; made < limits.signingKeysMax; made += 1) expect((await rotate(one.id)).status).toBe(201)
    const before = (await revealed(one.id)).map(([secret]) => secret)
    expect(before).toHaveLength(limits.signingKeysMax)
    const refused = await rotate(one.id)
    expect([refused.status, refused.body.code]).toEqual([422, 'limit_reached'])
    expect(refused.body.detail).toContain('overlap_seconds')
    expect((await revealed(one.id)).map(([secret]) => secret)).toEqual(before)
    expect((await rotate(one.id, { overlap_seconds: 0 })).status).toBe(201)
    expect(await revealed(one.id)).toHaveLength(1)
  })

  test('many at once come one after the other: one is current, and no more than are allowed sign', async () => {
    const one = await created()
    const answers = await Promise.all(Array.from({ length: 8 }, () => rotate(one.id)))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 201, 422, 422, 422, 422])
    const shown = await revealed(one.id)
    expect(shown).toHaveLength(limits.signingKeysMax)
    expect(shown.filter(([, endsInMs]) => endsInMs === null)).toHaveLength(1)
    const made = answers.filter(({ status }) => status === 201).map(({ body }) => body.secret)
    expect(new Set(shown.map(([secret]) => secret))).toEqual(new Set([one.secret, ...made]))
  })

  test.each([
    [{ overlap_seconds: -1 }, '/overlap_seconds'],
    [{ overlap_seconds: limits.overlapSecondsMax + 1 }, '/overlap_seconds'],
    [{ overlap_seconds: 1.5 }, '/overlap_seconds'],
    [{ overlap_seconds: '60' }, '/overlap_seconds'],
    [{ overlap: 60 }, '/overlap'],
  ])('422 for %j', async (body, pointer) => {
    const one = await created()
    const answer = await rotate(one.id, body)
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request'])
    expect(answer.body.errors.map((place: { pointer: string }) => place.pointer)).toContain(pointer)
    expect(await revealed(one.id)).toEqual([[one.secret, null]])
  })

  test('422 for a secret that is none, without repeating it', async () => {
    const one = await created()
    const { status, body, text } = await rotate(one.id, { secret: 'whsec_####' })
    expect([status, body.code, body.errors]).toEqual([
      422,
      'invalid_secret',
      [{ pointer: '/secret', detail: expect.stringMatching(/base64 does not have/) }],
    ])
    expect(text).not.toContain('####')
  })

  test('404 once the subscription is deleted, and no key of it is kept', async () => {
    const one = await created({ signature_schemes: ['v1a', 'v1'] })
    const before = await api.db.prisma.secret.count()
    await api.ask('DELETE', `/v1/subscriptions/${one.id}`)
    expect(await api.db.prisma.secret.count()).toBe(before - 2)
    expect((await rotate(one.id)).body.code).toBe('subscription_not_found')
    expect((await pairs(one.id)).body.code).toBe('subscription_not_found')
  })
})

test('no stored row holds a secret that can be read', async () => {
  const one = await created({ signature_schemes: ['v1', 'v1a'] })
  const { body } = await rotate(one.id)
  const rows = await api.db.prisma.secret.findMany()
  const stored = Buffer.concat(rows.map(({ sealedKey }) => Buffer.from(sealedKey)))
  expect(rows.every(({ masterKeyId }) => masterKeyId !== null)).toBe(true)
  for (const text of [one.secret, body.secret]) {
    expect(stored.includes(Buffer.from(text.slice('whsec_'.length), 'base64'))).toBe(false)
  }
})

test('500 without a word of it when a secret cannot be opened; a new one can still be made', async () => {
  const one = await created()
  const row = await api.db.prisma.secret.findFirstOrThrow({ orderBy: { id: 'desc' } })
  await api.db.prisma.secret.update({ where: { id: row.id }, data: { sealedKey: Uint8Array.from(randomBytes(64)) } })
  const { status, body, text } = await api.ask('GET', `/v1/subscriptions/${one.id}/secrets`)
  expect([status, body.code]).toEqual([500, 'internal_error'])
  expect(text).not.toContain(row.id)
  const rotated = await rotate(one.id, { overlap_seconds: 0 })
  expect(await revealed(one.id)).toEqual([[rotated.body.secret, null]])
  // It is good for nothing, not even to be recognised, and would be in the way of a new master key.
  expect(await api.db.prisma.secret.count({ where: { subscriptionId: row.subscriptionId } })).toBe(1)
})

describe('signing by v1a', () => {
  const publicKeys = (id: string) => api.ask('GET', `/v1/subscriptions/${id}/public-keys`, undefined, { as: null })

  test('is off when nothing is said, and then there is no key', async () => {
    const one = await created()
    expect(one).toMatchObject({ signature_schemes: ['v1'], public_key: null })
    expect((await publicKeys(one.id)).body).toEqual({ data: [] })
  })

  test('is asked for at creation: the public key is in the subscription, and told to everybody', async () => {
    const one = await created({ signature_schemes: ['v1', 'v1a'] })
    expect(one).toMatchObject({
      signature_schemes: ['v1a', 'v1'],
      public_key: expect.stringMatching(/^whpk_[A-Za-z0-9+/]{43}=$/),
    })
    expect((await api.ask('GET', `/v1/subscriptions/${one.id}`)).body.public_key).toBe(one.public_key)
    const { status, body, headers, text } = await publicKeys(one.id)
    expect(status).toBe(200)
    expect(body).toEqual({
      data: [
        {
          id: expect.stringMatching(/^sec_/),
          public_key: one.public_key,
          created_at: expect.any(String),
          expires_at: null,
        },
      ],
    })
    expect(headers['cache-control']).toBe('public, max-age=300')
    expect(text).not.toMatch(/whsk_|whsec_|acme|https/)
  })

  test('the private key is stored sealed, belongs to the public one, and is never shown', async () => {
    const one = await created({ signature_schemes: ['v1a', 'v1'] })
    const row = await api.db.prisma.secret.findFirstOrThrow({ where: { publicKey: one.public_key } })
    const place = { id: row.id, tenantId: row.tenantId, subscriptionId: row.subscriptionId, scheme: 'v1a' as const }
    const key = Buffer.from(openSecret(testSeal, row.sealedKey, place))
    expect(publicKeyOf(key)).toBe(one.public_key)
    const seed = key.toString('base64')
    const shown = [
      JSON.stringify(one),
      (await api.ask('GET', `/v1/subscriptions/${one.id}/secrets`)).text,
      (await publicKeys(one.id)).text,
    ]
    for (const text of shown) expect(text).not.toContain(seed)
    expect(await revealed(one.id)).toEqual([[one.secret, null]])
  })

  test('is switched on and off by PATCH; asking again for what there is keeps the key', async () => {
    const one = await created()
    const patch = (schemes: string[] | null) =>
      api.ask('PATCH', `/v1/subscriptions/${one.id}`, { signature_schemes: schemes })
    const on = await patch(['v1a', 'v1'])
    expect(on.body.public_key).toMatch(/^whpk_/)
    expect((await patch(['v1', 'v1a'])).body.public_key).toBe(on.body.public_key)
    expect((await api.ask('PATCH', `/v1/subscriptions/${one.id}`, { description: 'x' })).body.public_key).toBe(
      on.body.public_key,
    )
    const off = await patch(null)
    expect(off.body).toMatchObject({ signature_schemes: ['v1'], public_key: null })
    expect((await publicKeys(one.id)).body).toEqual({ data: [] })
    const again = await patch(['v1a', 'v1'])
    expect(again.body.public_key).not.toBe(on.body.public_key)
  })

  test('asked for many times at once makes one key pair', async () => {
    const one = await created()
    const ask = () => api.ask('PATCH', `/v1/subscriptions/${one.id}`, { signature_schemes: ['v1a', 'v1'] })
    const answers = await Promise.all(Array.from({ length: 5 }, ask))
    expect(new Set(answers.map(({ body }) => body.public_key)).size).toBe(1)
    expect((await publicKeys(one.id)).body.data).toHaveLength(1)
  })

  test.each([[[]], [['v1a']], [['v1', 'v2']], [['v1', 'v1']], ['v1a']])('422 for the schemes %j', async (schemes) => {
    const { status, body } = await api.ask('POST', '/v1/tenants/acme/subscriptions', {
      ...draft,
      signature_schemes: schemes,
    })
    expect([status, body.code]).toEqual([422, 'invalid_request'])
    expect(body.errors[0].pointer).toMatch(/^\/signature_schemes/)
  })

  test('its key pair is rotated: 201 with the new public key, and the old one stays for the overlap', async () => {
    const one = await created({ signature_schemes: ['v1a', 'v1'] })
    const { status, body } = await pairs(one.id, { overlap_seconds: 60 })
    expect(status).toBe(201)
    expect(body).toMatchObject({ public_key: expect.stringMatching(/^whpk_/), expires_at: null })
    expect((await api.ask('GET', `/v1/subscriptions/${one.id}`)).body.public_key).toBe(body.public_key)
    const told = (await publicKeys(one.id)).body.data
    expect(told.map((key: { public_key: string }) => key.public_key)).toEqual([body.public_key, one.public_key])
    expectAbout(Date.parse(told[1].expires_at) - Date.now(), 60_000)
    expect(await revealed(one.id)).toEqual([[one.secret, null]])
    await pairs(one.id, { overlap_seconds: 0 })
    expect((await publicKeys(one.id)).body.data).toHaveLength(1)
  })

  test('422 when a key pair is to be rotated that is not there', async () => {
    const one = await created()
    const { status, body } = await pairs(one.id)
    expect([status, body.code]).toEqual([422, 'invalid_request'])
    expect(body.detail).toContain('signature_schemes')
  })

  test.each(['sub_00000000000000000000000000', 'evt_00000000000000000000000000', 'nonsense'])(
    '404 when public keys of %s are asked for, and of a deleted subscription',
    async (id) => {
      const { status, body } = await publicKeys(id)
      expect([status, body.code]).toEqual([404, 'subscription_not_found'])
      const one = await created({ signature_schemes: ['v1a', 'v1'] })
      await api.ask('DELETE', `/v1/subscriptions/${one.id}`)
      expect((await publicKeys(one.id)).status).toBe(404)
    },
  )
})

/** The public key that belongs to the seed of a private one, by RFC 8410. */
function publicKeyOf(seed: Buffer): string {
  const head = Buffer.from('302e020100300506032b657004220420', 'hex')
  const key = createPrivateKey({ key: Buffer.concat([head, seed]), format: 'der', type: 'pkcs8' })
  const { x = '' } = key.export({ format: 'jwk' })
  return `whpk_${Buffer.from(x, 'base64url').toString('base64')}`
}
