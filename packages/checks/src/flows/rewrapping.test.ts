import { randomBytes } from 'node:crypto'
import {
  beginOnce,
  createSeal,
  draftReplay,
  endOnce,
  moveReplay,
  parseMasterKeys,
  type Rewrapped,
  rewrapAll,
  type Seal,
} from '@posthorn/engine'
import { createAuthority, testMasterKeyText, testSeal, withClient } from '@posthorn/engine/testing'
import { expect, test } from 'vitest'
import { startTestPosthorn, type TestPosthorn, world } from './posthorn.ts'

const otherKeyText = Buffer.alloc(32, 'another master key').toString('base64')
const otherSeal = createSeal(parseMasterKeys(otherKeyText), world)
/** Seals with the other master key, and opens with both. */
const both = createSeal(parseMasterKeys(`${otherKeyText},${testMasterKeyText}`), world)

/** Binary columns that hold no seal, and what they hold. */
const notSealed: Readonly<Record<string, string>> = {
  'api_key.hash': 'a hash of what is shown once',
  'portal_session.hash': 'a hash of what is shown once',
  'idempotency_key.fingerprint': 'a hash of the request',
  'attempt.response_body': 'what a receiver answered',
}

const request = {
  owner: 'key_1',
  key: 'once',
  tenantId: undefined,
  operation: 'createReplay',
  method: 'POST',
  url: '/v1/replays',
  body: '{}',
  repeatable: false,
}
const answer = { status: 201, headers: {}, body: '{"secret":"whsec_shown_once"}' }

/** A Posthorn that has something of everything that is sealed. */
async function furnished(stack: AsyncDisposableStack) {
  const posthorn = stack.use(await startTestPosthorn())
  const { db } = posthorn
  const subscription = await posthorn.subscribe({ url: 'https://127.0.0.1:8443/' })
  await posthorn.change(subscription, {
    auth: { type: 'bearer', token: 'a-token-for-the-receiver' },
    tls: { ca_certificates: createAuthority().certificate },
  })
  const targetUrl = `${posthorn.receiver.origin}/staging`
  const draft = () => {
    const wanted = {
      filter: {},
      choice: 'all',
      ratePerSecond: null,
      note: null,
      targetUrl,
      actor: 'staff:ada',
    } as const
    return draftReplay({ db, world: { ...world, now: () => Date.now() + 1 }, seal: testSeal }, wanted, undefined)
  }
  const begun = await beginOnce({ db, world, seal: testSeal }, request)
  if ('record' in begun) await endOnce({ db, world, seal: testSeal }, begun.record, answer)
  return { posthorn, subscription, draft }
}

/** Every column of bytes of ours. */
async function binaryColumns(posthorn: TestPosthorn): Promise<string[]> {
  const { rows } = await withClient(posthorn.url, (client) =>
    client.query<{ name: string }>(
      `select c.relname || '.' || a.attname as name
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
         and a.atttypid = 'bytea'::regtype`,
    ),
  )
  return rows.map(({ name }) => name).toSorted()
}

/** How many rows of a column are sealed with the first of these master keys. */
async function sealedRows(posthorn: TestPosthorn, column: string, seal: Seal): Promise<number> {
  const [table, name] = column.split('.')
  const { rows } = await withClient(posthorn.url, (client) =>
    client.query<{ count: number }>(
      `select count(*)::int as count from ${table} where encode(substring(${name} from 2 for 8), 'hex') = $1`,
      [seal.sealsWith],
    ),
  )
  return rows[0]?.count ?? 0
}

/** The tables in which the id of the master key stands anywhere, in whatever column and however it is stored. */
async function tablesNaming(posthorn: TestPosthorn, seal: Seal): Promise<string[]> {
  return withClient(posthorn.url, async (client) => {
    const tables = await client.query<{ name: string }>(
      `select c.oid::regclass::text as name from pg_class c
       where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace`,
    )
    const found: string[] = []
    for (const { name } of tables.rows) {
      const { rowCount } = await client.query(`select from ${name} t where t::text like $1`, [`%${seal.sealsWith}%`])
      if (rowCount !== 0) found.push(name)
    }
    return found.toSorted()
  })
}

test('rewrap leaves nothing that is sealed with the old master key, in whatever column of whatever table', async () => {
  await using stack = new AsyncDisposableStack()
  const { posthorn, draft } = await furnished(stack)
  const { db } = posthorn
  await draft()
  const columns = (await binaryColumns(posthorn)).filter((column) => notSealed[column] === undefined)
  expect(columns).toEqual([
    'idempotency_key.sealed_answer',
    'replay.target_key_sealed',
    'secret.sealed_key',
    'subscription.auth_sealed',
    'subscription.tls_sealed',
  ])
  // A new column must be filled here, or this says so: what is empty shows nothing.
  for (const column of columns) expect([column, await sealedRows(posthorn, column, testSeal)]).toEqual([column, 1])
  expect(await tablesNaming(posthorn, testSeal)).toEqual(['idempotency_key', 'replay', 'secret', 'subscription'])

  expect(await rewrapAll({ db, seal: both })).toEqual({
    secrets: 1,
    credentials: 2,
    replays: 1,
    answers: 1,
    faults: [],
  })
  for (const column of columns) expect([column, await sealedRows(posthorn, column, otherSeal)]).toEqual([column, 1])
  expect(await tablesNaming(posthorn, testSeal)).toEqual([])
  expect(await rewrapAll({ db, seal: both })).toEqual({
    secrets: 0,
    credentials: 0,
    replays: 0,
    answers: 0,
    faults: [],
  })
})

test('a replay to another URL is signed as it was promised after the old master key is given up', async () => {
  await using stack = new AsyncDisposableStack()
  const { posthorn, draft } = await furnished(stack)
  const { db } = posthorn
  await posthorn.publish()
  await db.prisma.backlog.deleteMany()
  await db.prisma.delivery.updateMany({ data: { state: 'failed', finishedAt: new Date() } })
  const { id, targetSecret, itemCount } = await draft()
  expect(itemCount).toBe(1)
  posthorn.receiver.trust('/staging', targetSecret ?? '')
  await rewrapAll({ db, seal: both })
  await posthorn.dispatch({ seal: otherSeal })
  await moveReplay({ db }, 'run', { id, within: undefined })
  await posthorn.received(1)
  expect(posthorn.receiver.requests).toMatchObject([{ path: '/staging', signature: 'valid' }])
})

test('an answer that is kept is given after the old master key is given up', async () => {
  await using stack = new AsyncDisposableStack()
  const { posthorn } = await furnished(stack)
  await rewrapAll({ db: posthorn.db, seal: both })
  expect(await beginOnce({ db: posthorn.db, world, seal: otherSeal }, request)).toEqual({ answer })
})

test('what cannot be opened is left as it is, and is a fault only where something is still signed by it', async () => {
  await using stack = new AsyncDisposableStack()
  const { posthorn, draft } = await furnished(stack)
  const { db } = posthorn
  const [draftId, canceledId] = [(await draft()).id, (await draft()).id]
  await moveReplay({ db }, 'cancel', { id: canceledId, within: undefined })
  const broken = Uint8Array.from(randomBytes(64))
  await db.prisma.replay.updateMany({ data: { targetKeySealed: broken } })
  await db.prisma.idempotencyKey.updateMany({ data: { sealedAnswer: broken } })
  const { replays, answers, faults } = await rewrapAll({ db, seal: both })
  expect([replays, answers, told(faults)]).toEqual([0, 0, [['seal_broken', true]]])
  expect(await db.prisma.replay.findMany({ select: { targetKeySealed: true } })).toEqual(
    Array(2).fill({ targetKeySealed: broken }),
  )

  /** The code of each, and whether it names the draft. */
  function told(given: Rewrapped['faults']) {
    return given.map(({ code, message }) => [code, message.includes(draftId)])
  }
})

test('all of them are sealed anew by two at once, each once, also when a run before was broken off', async () => {
  await using stack = new AsyncDisposableStack()
  const { posthorn, draft } = await furnished(stack)
  const { db } = posthorn
  const parts = { db, world, seal: testSeal }
  for (let number = 0; number < 55; number += 1) {
    // Owners and keys of all lengths: pages go on behind both.
    const begun = await beginOnce(parts, { ...request, owner: `key_${number % 7}`, key: 'k'.repeat(1 + (number % 13)) })
    if ('record' in begun) await endOnce(parts, begun.record, answer)
  }
  await draft()
  const count = await db.prisma.idempotencyKey.count()
  let left = 20
  const dying: Seal = {
    ...both,
    seal(...given) {
      left -= 1
      if (left < 0) throw new RangeError('killed')
      return both.seal(...given)
    },
  }
  await expect(rewrapAll({ db, seal: dying })).rejects.toThrow('killed')
  const runs = await Promise.all([1, 2].map(() => rewrapAll({ db, seal: both })))
  // Before it died, it had sealed a secret, two credentials, the secret of the replay, and sixteen answers.
  expect(runs.reduce((sum, { answers }) => sum + answers, 0)).toBe(count - 16)
  expect(await tablesNaming(posthorn, testSeal)).toEqual([])
})
