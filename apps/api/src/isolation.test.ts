/**
 * The isolation matrix: every operation of the OpenAPI document × whoever must not see the tenant's objects × every place
 * where one of them can be named.
 */
import { createHash } from 'node:crypto'
import { portalCapabilities } from '@posthorn/contract'
import { createApiKey } from '@posthorn/engine'
import { tell } from '@posthorn/engine/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, callbackUrl, startTestApi, type TestApi, world } from './testing/api.ts'
import { type Belongings, isolationRows, type Naming } from './testing/isolation.ts'

/** In everything that belongs to the other tenant, and in no answer. */
const mark = 'only-for-globex'

type Operation = {
  operationId: string
  method: string
  path: string
  isPublic: boolean
  isPaged: boolean
}

let api: TestApi
let operations: Operation[]
let mine: Belongings
let theirs: Belongings
let requests = 0
/** Credentials of the tenant acme, by what they are. */
let ofTenant: Readonly<Record<string, string>>
/** Credentials that are worth nothing, by what they are; null is none at all. */
let worthless: Readonly<Record<string, string | null>>

beforeAll(async () => {
  api = await startTestApi()
  operations = operationsOf((await api.ask('GET', '/openapi.json', undefined, { as: null })).body)
  mine = await belongingsOf('acme', 'mine')
  theirs = await belongingsOf('globex', mark)
  ofTenant = {
    'a key of another tenant': api.keys.tenant,
    'a portal session of another tenant': (await portalSession('acme')).token,
  }
  worthless = {
    'no key': null,
    'an unknown key': `phk_${'0'.repeat(32)}`,
    'a revoked key': await revokedKey(),
    'an expired key': await expiredKey(),
    'a revoked portal session': await revokedSession(),
    'a portal session of a revoked key': await sessionOfRevokedKey(),
  }
})

afterAll(() => api[Symbol.asyncDispose]())

test('every operation has its row in the matrix, and the matrix has no other', () => {
  expect(Object.keys(isolationRows).sort()).toEqual(operations.map(({ operationId }) => operationId).sort())
  for (const { operationId, path, isPublic } of operations) {
    // Whoever has an id in the path can name somebody else's.
    const namesObjects = /\{id\}/.test(path) && !isPublic
    if (namesObjects && isolationRows[operationId] === 'none') expect(operatorsOnly).toContain(operationId)
  }
})

/** They have an id in the path that is the operator's. */
const operatorsOnly = ['revokeApiKey', 'getErasure', 'getOutboxEvent', 'retryOutboxEvent', 'deleteOutboxEvent']

test('without a valid credential no operation answers anything but 401, whatever is named', async () => {
  for (const [what, key] of Object.entries(worthless)) {
    for (const operation of operations.filter(({ isPublic }) => !isPublic)) {
      for (const naming of namingsOf(operation)) {
        const answer = await ask(operation, naming, key)
        expect([what, operation.operationId, answer.status]).toEqual([what, operation.operationId, 401])
        expectNothingOfTheirs(answer)
      }
    }
  }
})

test('a credential of another tenant finds nothing of a tenant, wherever it is named, and changes nothing of it', async () => {
  const before = await fingerprint()
  for (const [what, key] of Object.entries(ofTenant)) {
    for (const operation of operations.filter(({ isPublic }) => !isPublic)) {
      for (const naming of namingsOf(operation)) {
        const answer = await ask(operation, naming, key)
        const where = [what, operation.operationId, naming.in].join(', ')
        if (answer.status !== 403) expect([where, denialOf(answer, naming)]).toEqual([where, naming.denial])
        expectNothingOfTheirs(answer)
      }
    }
  }
  expect(await fingerprint()).toEqual(before)
})

test("a cursor from another tenant's list opens nothing of it", async () => {
  for (const [what, key] of Object.entries(ofTenant)) {
    for (const operation of operations.filter(({ isPaged }) => isPaged)) {
      const [own] = namingsOf(operation, mine)
      for (const order of ['asc', 'desc']) {
        const theirPage = await ask(
          operation,
          { ...namingsOf(operation)[0], query: { order, limit: '1' } },
          api.keys.admin,
        )
        const { next_cursor: cursor } = theirPage.body
        if (typeof cursor !== 'string') continue
        const query = { order, limit: '250', cursor }
        const answer = await ask(operation, { ...(own?.path && { path: own.path }), query }, key)
        expect([what, operation.operationId, [200, 403, 422].includes(answer.status)]).toEqual([
          what,
          operation.operationId,
          true,
        ])
        expectNothingOfTheirs(answer)
      }
    }
  }
})

test('the ids of another tenant are answered with the same words as ids of nothing', async () => {
  const missing: Belongings = {
    tenant: 'nobody',
    subscription: 'sub_06ab1cde00000000000000000g'.slice(0, 30),
    event: 'evt_06ab1cde00000000000000000g'.slice(0, 30),
    delivery: 'dlv_06ab1cde00000000000000000g'.slice(0, 30),
    portalSession: 'ses_06ab1cde00000000000000000g'.slice(0, 30),
    replay: 'rpl_06ab1cde00000000000000000g'.slice(0, 30),
  }
  for (const operation of operations) {
    const ofNothing = namingsOf(operation, missing)
    for (const [index, naming] of namingsOf(operation).entries()) {
      if (naming.denial !== 'not_found') continue
      const answer = await ask(operation, naming, api.keys.tenant)
      const other = await ask(operation, ofNothing[index] ?? naming, api.keys.tenant)
      expect([operation.operationId, words(answer, theirs)]).toEqual([operation.operationId, words(other, missing)])
    }
  }
})

test('the size of the matrix is told: one that shrank would pass too', (context) => {
  const credentials = Object.keys(worthless).length + Object.keys(ofTenant).length
  const rows = operations.flatMap((operation) => namingsOf(operation))
  const places = Map.groupBy(rows, (naming) => naming.in)
  const counts = [...places].map(([place, of]) => `${of.length} in the ${place}`).join(', ')
  tell(context, `${operations.length} operations × ${credentials} credentials; ${counts}; ${requests} requests made`)
  expect(requests).toBeGreaterThan(rows.length * credentials)
})

function namingsOf({ operationId }: Operation, of = theirs): Naming[] {
  const row = isolationRows[operationId]
  if (row === undefined) throw new Error(`${operationId} has no row in the isolation matrix`)
  if (row === 'none') return [{ in: 'path', path: { id: of.tenant, name: 'invoice.paid' }, denial: 'nothing' }]
  return row(of, mine)
}

async function ask(
  { method, path }: Operation,
  { path: parts = {}, query = {}, body }: Partial<Naming>,
  key: string | null,
): Promise<Answer> {
  requests += 1
  const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(parts[name] ?? 'nothing'))
  const text = new URLSearchParams(query).toString()
  return api.ask(method, text === '' ? filled : `${filled}?${text}`, body, { as: key })
}

function denialOf({ status, body }: Answer, { denial }: Naming): string {
  if (status === 404) return 'not_found'
  if (denial === 'refused_item' && status === 207) {
    return body.results.every((one: { status: number }) => one.status === 404) ? 'refused_item' : 'let in'
  }
  // What it says is looked at beside this; here, that it is no error of another kind.
  return status < 300 || status === 422 ? 'nothing' : `${status}`
}

/** Neither the mark nor an id that the question did not hold already. */
function expectNothingOfTheirs({ text, status }: Answer): void {
  expect(text).not.toContain(mark)
  if (status >= 400) return
  for (const id of [theirs.subscription, theirs.event, theirs.delivery, theirs.replay]) expect(text).not.toContain(id)
}

function words({ status, text }: Answer, of: Belongings): [number, string] {
  let plain = text.replace(/"request_id":"[^"]*"/, '')
  for (const id of Object.values(of)) plain = plain.replaceAll(id, 'ID')
  return [status, plain]
}

/** All rows that belong to the other tenant, in all tables, as one hash each. */
async function fingerprint(): Promise<Record<string, string>> {
  const { rows } = await api.db.pool.query<{ table_name: string }>(`
    select c.table_name from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where c.column_name = 'tenant_id' and c.table_schema = 'public' and t.table_type = 'BASE TABLE'
    order by 1`)
  expect(rows.map(({ table_name }) => table_name)).toContain('subscription')
  const hashes: Record<string, string> = {}
  for (const { table_name } of rows) {
    const of = await api.db.pool.query(`select t::text from "${table_name}" t where tenant_id = 'globex' order by 1`)
    hashes[table_name] = createHash('sha256').update(JSON.stringify(of.rows)).digest('hex')
  }
  return hashes
}

/** A subscription, two events, their deliveries and a replay of one of them, of a tenant, all with the mark in them. */
async function belongingsOf(tenant: string, text: string): Promise<Belongings> {
  const subscription = await api.ask('POST', `/v1/tenants/${tenant}/subscriptions`, {
    url: `${callbackUrl}/${text}`,
    event_types: ['*'],
    description: text,
    headers: { 'x-mark': text },
    metadata: { mark: text },
  })
  expect(subscription.status).toBe(201)
  const event = { tenant, type: 'invoice.paid', data: { mark: text }, keys: { order: text }, id: text }
  const published = await api.ask('POST', '/v1/events', event)
  const second = await api.ask('POST', '/v1/events', { ...event, id: `${text}-2` })
  await api.ask('POST', `/v1/deliveries/${second.body.deliveries[0].id}/cancel`)
  expect(published.status).toBe(202)
  const draft = { name: text, role: 'tenant' as const, tenantId: tenant, expiresAt: null }
  const { key } = await createApiKey({ db: api.db, world }, draft)
  const replay = await api.ask('POST', '/v1/replays', { filter: {}, only: 'all', note: text }, { as: key })
  expect([replay.status, replay.body.preview.count]).toEqual([201, 1])
  return {
    tenant,
    subscription: subscription.body.id,
    event: published.body.id,
    delivery: published.body.deliveries[0].id,
    portalSession: (await portalSession(tenant)).id,
    replay: replay.body.id,
  }
}

async function revokedKey(): Promise<string> {
  const { body } = await api.ask('POST', '/v1/api-keys', { name: 'revoked', role: 'admin' })
  expect((await api.ask('DELETE', `/v1/api-keys/${body.id}`)).status).toBe(204)
  return body.key
}

/** May do whatever a session can. */
async function portalSession(tenant: string, as = 'admin'): Promise<{ id: string; token: string }> {
  const asked = { capabilities: portalCapabilities }
  return (await api.ask('POST', `/v1/tenants/${tenant}/portal-sessions`, asked, { as })).body
}

async function revokedSession(): Promise<string> {
  const { id, token } = await portalSession('acme')
  expect((await api.ask('DELETE', `/v1/portal-sessions/${id}`)).status).toBe(204)
  return token
}

async function sessionOfRevokedKey(): Promise<string> {
  const { body } = await api.ask('POST', '/v1/api-keys', { name: 'gone', role: 'admin' })
  const { token } = await portalSession('acme', body.key)
  expect((await api.ask('DELETE', `/v1/api-keys/${body.id}`)).status).toBe(204)
  return token
}

async function expiredKey(): Promise<string> {
  const draft = { name: 'old', role: 'admin' as const, tenantId: null, expiresAt: new Date(world.now() - 1_000) }
  return (await createApiKey({ db: api.db, world }, draft)).key
}

type Document = {
  paths: Record<
    string,
    Record<string, { operationId: string; security?: unknown[]; parameters?: { name: string; in: string }[] }>
  >
}

function operationsOf({ paths }: Document): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, security, parameters = [] }]) => ({
      operationId,
      method: method.toUpperCase(),
      path,
      isPublic: security?.length === 0,
      isPaged: parameters.some((parameter) => parameter.in === 'query' && parameter.name === 'cursor'),
    })),
  )
}
