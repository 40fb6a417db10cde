import { randomBytes } from 'node:crypto'
import { parseSecret, verify } from '@posthorn/signing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { claimOf, prepareAttempt } from './attempt.ts'
import { openDatabase } from './db/database.ts'
import { claimDeliveries } from './db/sql/claim-deliveries.ts'
import { createPublisher } from './events.ts'
import { sealSecret } from './sealed-secrets.ts'
import { createKeyRing } from './signing-keys.ts'
import { createTestDatabase, testSeal } from './testing/index.ts'
import { newUuid, type World } from './world.ts'

const world: World = { now: () => Date.now(), randomBytes: (count) => randomBytes(count) }
const subscriptionId = '01900000-0000-7000-8000-000000000001'
const shard = 1

/** Any JSON text, with spaces where JSON allows them and numbers of any length and precision. */
const jsonText = fc.letrec<{ value: string; list: string; record: string }>((tie) => {
  const space = fc.stringMatching(/^[ \t\r\n]{0,2}$/)
  const number = fc.stringMatching(/^-?(0|[1-9]\d{0,30})(\.\d{1,20})?([eE][+-]?\d{1,4})?$/)
  const escaped = fc.stringMatching(/^(\\u[0-9a-fA-F]{4}|\\["\\/bfnrt]|[a-z漢😀 ]){0,8}$/u)
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }).map((raw) => JSON.stringify(raw)),
    escaped.map((raw) => `"${raw}"`),
  )
  const leaf = fc.oneof(fc.constantFrom('null', 'true', 'false', '[]', '{}'), number, text)
  const inSpace = (inner: fc.Arbitrary<string>) => fc.tuple(space, inner, space).map((parts) => parts.join(''))
  return {
    value: fc.oneof({ maxDepth: 3, withCrossShrink: true }, inSpace(leaf), tie('list'), tie('record')),
    list: fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
    record: fc
      .array(fc.tuple(inSpace(text), tie('value')), { maxLength: 3 })
      .map((members) => `{${members.map(([key, value]) => `${key}:${value}`).join(',')}}`),
  }
}).value

test('whatever JSON is published is what is signed and sent, byte for byte', { timeout: 60_000 }, async () => {
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const db = stack.use(openDatabase({ url: database.url, poolSize: 3 }))
  const key = randomBytes(36)
  const place = { id: newUuid(world), tenantId: 'acme' }
  await db.prisma.tenant.create({ data: { id: 'acme' } })
  await db.prisma.subscription.create({
    data: {
      id: subscriptionId,
      tenantId: 'acme',
      url: 'https://receiver.test/hooks',
      eventTypes: ['*'],
      shard,
      maxInFlight: 1_000,
      secrets: {
        create: { ...place, ...sealSecret(testSeal, key, { ...place, subscriptionId, scheme: 'v1' }) },
      },
    },
  })
  const publisher = createPublisher({
    db,
    world,
    checkSchema: async () => [],
    createEventTypes: true,
    onWork: () => undefined,
  })
  const keyOf = createKeyRing(testSeal)

  async function sent(data: string): Promise<string> {
    await publisher.publish({ tenantId: 'acme', type: 'invoice.paid', data, timestamp: new Date(0) })
    const [row] = await claimDeliveries(db.pool, {
      offers: [{ shard, tenantId: 'acme', subscriptionId, part: 1, inFlight: 0, dueFrom: null }],
      attemptIds: [newUuid(world)],
      leaseMarginMs: 15_000,
    })
    if (row === undefined) throw new Error('The published event was not claimed')
    const { body, headers } = prepareAttempt(claimOf(row), keyOf, world.now())
    verify({ headers, body: Buffer.from(body), keys: [parseSecret(key.toString('base64'))], now: new Date() })
    return body
  }

  await fc.assert(
    fc.asyncProperty(jsonText, async (data) => {
      // Half of a surrogate pair on its own is no text, and cannot come out of the bytes of a request.
      fc.pre(data.isWellFormed() && isJson(data))
      expect(await sent(data)).toBe(`{"type":"invoice.paid","timestamp":"1970-01-01T00:00:00.000Z","data":${data}}`)
    }),
    { numRuns: 300 },
  )
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
