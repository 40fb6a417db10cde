import { afterAll, beforeAll, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

test('201 when a tenant becomes known, 200 when it is replaced, and what is left out is cleared', async () => {
  const tenant = {
    name: 'Zoë & Söhne 漢 😀',
    metadata: { plan: 'big', nested: [1, { a: null }] },
    contacts: [{ email: 'ops@acme.example', name: 'Ops' }],
  }
  const created = await api.ask('PUT', '/v1/tenants/cus_1:eu|a@b.c-d', tenant)
  expect(created.status).toBe(201)
  expect(created.body).toEqual({
    id: 'cus_1:eu|a@b.c-d',
    ...tenant,
    retention_days: null,
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    updated_at: expect.any(String),
  })
  const replaced = await api.ask('PUT', '/v1/tenants/cus_1:eu|a@b.c-d', {})
  expect(replaced.status).toBe(200)
  expect(replaced.body).toMatchObject({ name: null, metadata: {}, contacts: [], created_at: created.body.created_at })
})

test('a tenant known to many at the same moment is created once', async () => {
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) => api.ask('PUT', '/v1/tenants/many', { name: `n${index}` })),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([...Array.from({ length: 9 }, () => 200), 201])
})

test('200 when a tenant is read', async () => {
  const { status, body } = await api.ask('GET', '/v1/tenants/acme')
  expect([status, body.id]).toEqual([200, 'acme'])
})

test.each(['nobody', 'a%20b', 'a%00b', 'x'.repeat(129), '%F0%9F%98%80'])(
  '404 when there is no tenant %s',
  async (id) => {
    for (const method of ['GET', 'DELETE']) {
      const { status, body } = await api.ask(method, `/v1/tenants/${id}`)
      expect([status, body.code]).toEqual([404, 'tenant_not_found'])
    }
  },
)

test.each([
  ['a%20b', {}, '{id}'],
  ['x'.repeat(129), {}, '{id}'],
  ['ok', { name: 5 }, '/name'],
  ['ok', { name: 'a\u0000b' }, '/name'],
  ['ok', { name: '\udc00' }, '/name'],
  ['ok', { name: 'x'.repeat(129) }, '/name'],
  ['ok', { metadata: [] }, '/metadata'],
  ['ok', { metadata: { deep: { bad: 'a\u0000' } } }, '/metadata/deep/bad'],
  ['ok', { metadata: { 'a\u0000': 1 } }, '/metadata'],
  ['ok', { metadata: { lone: ['\ud800'] } }, '/metadata/lone/0'],
  ['ok', { metadata: { big: 'x'.repeat(17_000) } }, '/metadata'],
  ['ok', { contacts: [{ name: 'no address' }] }, '/contacts/0'],
  ['ok', { contacts: [{ email: 'a@b.c', role: 'x' }] }, '/contacts/0/role'],
  ['ok', { id: 'other' }, '/id'],
])('422 when tenant %s is put with %j', async (id, body, pointer) => {
  const answer = await api.ask('PUT', `/v1/tenants/${id}`, body)
  expect([answer.status, answer.body.code, answer.body.errors[0].pointer]).toEqual([422, 'invalid_request', pointer])
})

test('422 when metadata has a number that nobody could keep', async () => {
  const { status, body } = await api.ask('PUT', '/v1/tenants/ok', undefined, { text: '{"metadata":{"n":1e400}}' })
  expect([status, body.errors[0].pointer]).toEqual([422, '/metadata/n'])
})

test('the list goes by the time of becoming known, page by page and back', async () => {
  await using own = await startTestApi()
  for (const id of ['a', 'b', 'c']) await own.ask('PUT', `/v1/tenants/${id}`, {})
  const first = await own.ask('GET', '/v1/tenants?limit=2')
  expect(ids(first.body)).toEqual(['c', 'b'])
  expect(first.body.prev_cursor).toBeNull()
  const second = await own.ask('GET', `/v1/tenants?limit=2&cursor=${first.body.next_cursor}`)
  expect(ids(second.body)).toHaveLength(2)
  const third = await own.ask('GET', `/v1/tenants?limit=2&cursor=${second.body.next_cursor}`)
  // Made in the same millisecond, `acme` and `globex` go by name.
  expect([...ids(second.body), ...ids(third.body)]).toEqual(['a', 'globex', 'acme'])
  expect(third.body.next_cursor).toBeNull()
  const back = await own.ask('GET', `/v1/tenants?limit=2&cursor=${third.body.prev_cursor}`)
  expect(ids(back.body)).toEqual(ids(second.body))
  const oldest = await own.ask('GET', '/v1/tenants?limit=3&order=asc')
  expect(ids(oldest.body)).toEqual(['acme', 'globex', 'a'])
})

test('the header link leads to the pages around, with the filters kept', async () => {
  const { headers, body } = await api.ask('GET', '/v1/tenants?limit=1&order=asc')
  const [next, first] = String(headers['link']).split(', ')
  expect(next).toBe(`</v1/tenants?limit=1&order=asc&cursor=${body.next_cursor}>; rel="next"`)
  expect(first).toBe('</v1/tenants?limit=1&order=asc>; rel="first"')
})

test('204 when a tenant is deleted: its subscriptions and keys go, what was unfinished is canceled, the rest stays', async () => {
  await using own = await startTestApi()
  const active = await subscribe(own, 'acme')
  const paused = await subscribe(own, 'acme')
  await subscribe(own, 'globex')
  await own.ask('POST', `/v1/subscriptions/${paused}/pause`)
  const { body } = await own.ask('POST', '/v1/events', { tenant: 'acme', type: 'invoice.paid', data: 1 })
  const other = await own.ask('POST', '/v1/events', { tenant: 'globex', type: 'invoice.paid', data: 1 })
  expect(body.deliveries).toHaveLength(2)

  expect((await own.ask('DELETE', '/v1/tenants/acme')).status).toBe(204)
  expect((await own.ask('GET', '/v1/tenants/acme')).status).toBe(404)
  expect((await own.ask('DELETE', '/v1/tenants/acme')).status).toBe(404)
  expect((await own.ask('GET', `/v1/subscriptions/${active}`)).status).toBe(404)
  expect((await own.ask('GET', '/v1/events', undefined, { as: 'tenant' })).status).toBe(401)
  const deliveries = await own.ask('GET', `/v1/deliveries?event=${body.id}`)
  expect(deliveries.body.data.map((one: { state: string }) => one.state)).toEqual(['canceled', 'canceled'])
  expect((await own.ask('GET', `/v1/events/${body.id}`)).body.data).toBe(1)
  const untouched = await own.ask('GET', `/v1/deliveries?event=${other.body.id}`)
  expect(untouched.body.data).toMatchObject([{ state: 'pending' }])
  expect(await own.db.prisma.backlog.findMany({ select: { tenantId: true } })).toEqual([{ tenantId: 'globex' }])
})

async function subscribe(to: TestApi, tenant: string): Promise<string> {
  const { body } = await to.ask('POST', `/v1/tenants/${tenant}/subscriptions`, { url: callbackUrl, event_types: ['*'] })
  return body.id
}

function ids(page: { data: { id: string }[] }): string[] {
  return page.data.map(({ id }) => id)
}

test('a tenant may keep less than the installation, and what is left out is cleared', async () => {
  expect((await api.ask('PUT', '/v1/tenants/brief', { retention_days: 7 })).body.retention_days).toBe(7)
  expect((await api.ask('GET', '/v1/tenants/brief')).body.retention_days).toBe(7)
  expect((await api.ask('PUT', '/v1/tenants/brief', {})).body.retention_days).toBeNull()
  for (const retention_days of [0, -1, 1.5, 3651, '7']) {
    const { status, body } = await api.ask('PUT', '/v1/tenants/brief', { retention_days })
    expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'invalid_request', '/retention_days'])
  }
})
