import { limits } from '@posthorn/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

/** A tenant of its own, so that no test sees the subscriptions of another. */
let tenants = 0
async function newTenant(): Promise<string> {
  tenants += 1
  const id = `customer-${tenants}`
  await api.ask('PUT', `/v1/tenants/${id}`, {})
  return id
}

async function subscribe(tenant: string, more: Record<string, unknown> = {}) {
  const { body } = await api.ask('POST', `/v1/tenants/${tenant}/subscriptions`, {
    url: callbackUrl,
    event_types: ['invoice.*'],
    ...more,
  })
  return body
}

describe('a filter of a subscription', () => {
  test('is kept with every number as it was written, and shown wherever the subscription is', async () => {
    const tenant = await newTenant()
    const filter = '{"data.account":12345678901234567890,"data.total":{"$gte":0.5}}'
    const text = `{"url":"${callbackUrl}","event_types":["*"],"filter": ${filter}}`
    const made = await api.ask('POST', `/v1/tenants/${tenant}/subscriptions`, undefined, { text })
    expect([made.status, made.text.includes(`"filter":${filter}`)]).toEqual([201, true])
    const read = await api.ask('GET', `/v1/subscriptions/${made.body.id}`)
    expect(read.text).toContain(`"filter":${filter}`)
    expect((await api.ask('GET', `/v1/subscriptions?tenant=${tenant}`)).text).toContain(`"filter":${filter}`)
    const published = `{"tenant":"${tenant}","type":"invoice.paid","data":{"account":12345678901234567890,"total":1}}`
    const { body } = await api.ask('POST', '/v1/events', undefined, { text: published })
    const delivery = await api.ask('GET', `/v1/deliveries/${body.deliveries[0].id}?expand=subscription`)
    expect(delivery.text).toContain(`"filter":${filter}`)
    const other = published.replace('567890', '567891')
    expect((await api.ask('POST', '/v1/events', undefined, { text: other })).body.deliveries).toEqual([])
  })

  test('is replaced as a whole by a change, cleared by null, and left alone when it is left out', async () => {
    const { id, filter } = await subscribe(await newTenant())
    expect(filter).toBeNull()
    const change = async (body: unknown) => (await api.ask('PATCH', `/v1/subscriptions/${id}`, body)).body.filter
    expect(await change({ filter: { 'data.a': null, type: 'invoice.paid' } })).toEqual({
      'data.a': null,
      type: 'invoice.paid',
    })
    expect(await change({ filter: { 'data.b': 1 } })).toEqual({ 'data.b': 1 })
    expect(await change({ description: 'x' })).toEqual({ 'data.b': 1 })
    expect(await change({ filter: null })).toBeNull()
  })

  test('counts from the next event on', async () => {
    const tenant = await newTenant()
    const { id } = await subscribe(tenant)
    const publish = async () =>
      (await api.ask('POST', '/v1/events', { tenant, type: 'invoice.paid', data: { total: 5 } })).body.deliveries.length
    expect(await publish()).toBe(1)
    await api.ask('PATCH', `/v1/subscriptions/${id}`, { filter: { 'data.total': { $gt: 5 } } })
    expect(await publish()).toBe(0)
    await api.ask('PATCH', `/v1/subscriptions/${id}`, { filter: { 'data.total': { $gte: 5 } } })
    expect(await publish()).toBe(1)
  })

  test.each([
    [{ 'data.a': { $regex: 'x' } }, 'invalid_filter', '/filter/data.a/$regex'],
    [{ $or: [{ total: 1 }] }, 'invalid_filter', '/filter/$or/0/total'],
    [{ 'data.a': 'x'.repeat(limits.filterValueLengthMax + 1) }, 'invalid_filter', '/filter/data.a'],
    ['x', 'invalid_request', '/filter'],
    [[], 'invalid_request', '/filter'],
  ])('422 when it cannot be used: %j', async (filter, code, pointer) => {
    const tenant = await newTenant()
    const body = { url: callbackUrl, event_types: ['*'], filter }
    const created = await api.ask('POST', `/v1/tenants/${tenant}/subscriptions`, body)
    expect([created.status, created.body.code, created.body.errors[0].pointer]).toEqual([422, code, pointer])
    const { id } = await subscribe(tenant)
    const patched = await api.ask('PATCH', `/v1/subscriptions/${id}`, { filter })
    expect([patched.status, patched.body.code, patched.body.errors[0].pointer]).toEqual([422, code, pointer])
    const checked = await api.ask('POST', `/v1/subscriptions/${id}/filter-checks`, { type: 'a', data: 1, filter })
    expect([checked.status, checked.body.code, checked.body.errors[0].pointer]).toEqual([422, code, pointer])
  })

  test('may be as long as the limit says, and no longer', async () => {
    const tenant = await newTenant()
    const of = (bytes: number) => {
      const values = Array.from({ length: 16 }, () => 'x'.repeat(limits.filterValueLengthMax - 8))
      const short = bytes - Buffer.byteLength(JSON.stringify({ data: { $in: [...values, ''] } }))
      return { data: { $in: [...values, 'é'.repeat(short / 2)] } }
    }
    const status = async (filter: object) =>
      (await api.ask('POST', `/v1/tenants/${tenant}/subscriptions`, { url: callbackUrl, event_types: ['*'], filter }))
        .status
    expect(await status(of(limits.filterBytesMax))).toBe(201)
    expect(await status(of(limits.filterBytesMax + 2))).toBe(422)
  })

  test('422 when it is given twice: one of the two would be dropped silently', async () => {
    const { id } = await subscribe(await newTenant())
    const { status, body } = await api.ask('PATCH', `/v1/subscriptions/${id}`, undefined, {
      text: '{"filter":{"type":"a"},"filter":{"type":"b"}}',
    })
    expect([status, body.errors]).toEqual([422, [{ pointer: '/filter', detail: 'is given twice' }]])
  })
})

describe('trying an event on a subscription', () => {
  test('the clause that the event does not fulfil is named, with what was found there', async () => {
    const { id } = await subscribe(await newTenant(), { filter: { 'data.total': { $gt: 100 } } })
    const check = async (body: unknown) => (await api.ask('POST', `/v1/subscriptions/${id}/filter-checks`, body)).body
    expect(await check({ type: 'invoice.paid', data: { total: 100 } })).toEqual({
      matched: false,
      reason: 'filter',
      failed_clause: { pointer: '/data.total/$gt', detail: 'data.total is not greater than 100', found: '100' },
      filter_unfinished: false,
    })
    const fits = { matched: true, reason: null, failed_clause: null, filter_unfinished: false }
    expect(await check({ type: 'invoice.paid', data: { total: 101 } })).toEqual(fits)
    expect(await check({ type: 'order.paid', data: { total: 101 } })).toEqual({
      ...fits,
      matched: false,
      reason: 'event_type',
    })
    const other = { type: 'invoice.paid', data: {}, keys: { order: 'a' } }
    expect(await check({ ...other, filter: { 'keys.order': 'a' } })).toEqual(fits)
    expect(await check({ ...other, filter: { 'keys.order': 'b' } })).toMatchObject({ reason: 'filter' })
  })

  test('null tries it without a filter, as a change to null would leave it', async () => {
    const draft = { url: callbackUrl, event_types: ['*'], filter: { 'data.total': 1 } }
    const { id } = (await api.ask('POST', '/v1/tenants/acme/subscriptions', draft)).body
    const check = async (more: object) =>
      (await api.ask('POST', `/v1/subscriptions/${id}/filter-checks`, { type: 'a', data: {}, ...more })).body
    expect(await check({})).toMatchObject({ matched: false, reason: 'filter' })
    expect(await check({ filter: null })).toMatchObject({ matched: true, reason: null })
  })

  test('numbers count as they are written, in the filter and in the data', async () => {
    const { id } = await subscribe(await newTenant())
    const check = async (wanted: string, data: string) => {
      const text = `{"type":"invoice.paid","data":${data},"filter":{"data":${wanted}}}`
      return (await api.ask('POST', `/v1/subscriptions/${id}/filter-checks`, undefined, { text })).body.matched
    }
    expect(await check('12345678901234567890', '12345678901234567890')).toBe(true)
    expect(await check('12345678901234567890', '12345678901234567891')).toBe(false)
    expect(await check('1', '1.0')).toBe(true)
  })

  test('404 for a subscription of another tenant, and 413 for data that could not be published', async () => {
    const { id } = await subscribe(await newTenant())
    const event = { type: 'invoice.paid', data: 1 }
    const foreign = await api.ask('POST', `/v1/subscriptions/${id}/filter-checks`, event, { as: 'tenant' })
    expect([foreign.status, foreign.body.code]).toEqual([404, 'subscription_not_found'])
    const large = { ...event, data: 'x'.repeat(limits.eventDataBytesMax) }
    expect((await api.ask('POST', `/v1/subscriptions/${id}/filter-checks`, large)).status).toBe(413)
  })
})

describe('why an event went where it went', () => {
  test('every subscription of the tenant is named with its reason', async () => {
    const tenant = await newTenant()
    const plain = await subscribe(tenant)
    const otherType = await subscribe(tenant, { event_types: ['order.*'] })
    const filtered = await subscribe(tenant, { filter: { 'data.total': { $gt: 100 } } })
    const paused = await subscribe(tenant)
    await api.ask('POST', `/v1/subscriptions/${paused.id}/pause`)
    const left = await subscribe(tenant)
    const deleted = await subscribe(tenant)
    const { body: event } = await api.ask('POST', '/v1/events', {
      tenant,
      type: 'invoice.paid',
      data: { total: 7 },
      subscriptions: [plain.id, filtered.id, paused.id, deleted.id],
    })
    await api.ask('DELETE', `/v1/subscriptions/${deleted.id}`)
    const later = await subscribe(tenant)
    await subscribe(await newTenant())

    const { status, body } = await api.ask('GET', `/v1/events/${event.id}/matches`)
    expect(status).toBe(200)
    const delivery = (id: string) =>
      event.deliveries.find((one: { subscription_id: string }) => one.subscription_id === id)?.id ?? null
    const row = (id: string, matched: boolean, reason: string | null, more: object = {}) => ({
      subscription_id: id,
      state: 'active',
      matched,
      reason,
      failed_clause: null,
      filter_unfinished: false,
      delivery_id: delivery(id),
      ...more,
    })
    const failed_clause = { pointer: '/data.total/$gt', detail: 'data.total is not greater than 100', found: '7' }
    expect(body.data).toEqual([
      row(plain.id, true, null),
      row(otherType.id, false, 'event_type'),
      row(filtered.id, false, 'filter', { failed_clause }),
      row(paused.id, true, 'paused', { state: 'paused' }),
      row(left.id, false, 'not_chosen'),
      row(deleted.id, false, 'deleted'),
      row(later.id, true, 'created_later'),
    ])
    expect([delivery(deleted.id), delivery(paused.id)]).toEqual([expect.any(String), expect.any(String)])

    await api.ask('PATCH', `/v1/subscriptions/${otherType.id}`, { event_types: ['*'] })
    await api.ask('PATCH', `/v1/subscriptions/${plain.id}`, { event_types: ['order.*'] })
    const again = await api.ask('GET', `/v1/events/${event.id}/matches`)
    expect(again.body.data.slice(0, 2)).toEqual([
      row(plain.id, false, 'event_type'),
      row(otherType.id, true, 'changed_later'),
    ])
  })

  test('a key that may not see payloads is not told what the event holds', async () => {
    const tenant = await newTenant()
    await subscribe(tenant, { filter: { 'data.card': '1' } })
    const { body: event } = await api.ask('POST', '/v1/events', {
      tenant,
      type: 'invoice.paid',
      data: { card: '4242' },
    })
    const told = async (as: 'support' | 'viewer') =>
      (await api.ask('GET', `/v1/events/${event.id}/matches`, undefined, { as })).text
    expect(await told('viewer')).toContain('4242')
    expect(await told('support')).not.toContain('4242')
    expect(await told('support')).toContain('"reason":"filter"')
  })

  test('404 for an event of another tenant', async () => {
    const tenant = await newTenant()
    const { body: event } = await api.ask('POST', '/v1/events', { tenant, type: 'invoice.paid', data: 1 })
    const { status, body } = await api.ask('GET', `/v1/events/${event.id}/matches`, undefined, { as: 'tenant' })
    expect([status, body.code]).toEqual([404, 'event_not_found'])
  })
})

describe('a dry run', () => {
  const data = '{"total": 7.0, "id": 12345678901234567890}'
  const timestamp = '2026-11-23T10:00:00.000Z'

  function textFor(tenant: string, more = ''): string {
    return `{"tenant":"${tenant}","type":"invoice.paid","timestamp":"${timestamp}","data":${data}${more}}`
  }

  test('says what would be sent to whom, byte for byte, and stores nothing', async () => {
    const tenant = await newTenant()
    const plain = await subscribe(tenant, { headers: { 'x-source': 'posthorn' } })
    const otherType = await subscribe(tenant, { event_types: ['order.*'] })
    const filtered = await subscribe(tenant, { filter: { 'data.total': 8 } })
    const paused = await subscribe(tenant)
    await api.ask('POST', `/v1/subscriptions/${paused.id}/pause`)
    const left = await subscribe(tenant)
    const chosen = `,"subscriptions":${JSON.stringify([plain.id, otherType.id, filtered.id, paused.id])}`
    const { status, body } = await api.ask('POST', '/v1/events?dry_run=1', undefined, { text: textFor(tenant, chosen) })
    const text = `{"type":"invoice.paid","timestamp":"${timestamp}","data":${data}}`
    const request = {
      method: 'POST',
      url: callbackUrl,
      headers: {
        'content-type': 'application/json',
        'user-agent': expect.stringMatching(/^Posthorn\//),
        'posthorn-event-type': 'invoice.paid',
        'posthorn-attempt': '1',
      },
      body: text,
      body_bytes: text.length,
    }
    const row = (id: string, matched: boolean, reason: string | null, more: object = {}) => ({
      subscription_id: id,
      state: 'active',
      matched,
      reason,
      failed_clause: null,
      filter_unfinished: false,
      request: null,
      transform_failure: null,
      ...more,
    })
    expect([status, body]).toEqual([
      200,
      {
        dry_run: true,
        duplicate: false,
        validation_errors: [],
        data: [
          row(plain.id, true, null, {
            request: { ...request, headers: { ...request.headers, 'x-source': 'posthorn' } },
          }),
          row(otherType.id, false, 'event_type'),
          row(filtered.id, false, 'filter', {
            failed_clause: { pointer: '/data.total', detail: 'data.total is not 8', found: '7' },
          }),
          row(paused.id, true, 'paused', { state: 'paused', request }),
          row(left.id, false, 'not_chosen'),
        ],
      },
    ])
    expect(await api.db.prisma.event.count({ where: { tenantId: tenant } })).toBe(0)
    expect(await api.db.prisma.delivery.count({ where: { tenantId: tenant } })).toBe(0)
  })

  test('answers the same refusals as publishing', async () => {
    const tenant = await newTenant()
    const event = { tenant, type: 'invoice.paid', data: 1 }
    const dry = async (body: unknown) => {
      const { status, body: answer } = await api.ask('POST', '/v1/events?dry_run=1', body)
      return [status, answer.code]
    }
    expect(await dry({ ...event, tenant: 'nobody' })).toEqual([404, 'tenant_not_found'])
    expect(await dry({ ...event, type: 'never.heard' })).toEqual([422, 'event_type_not_found'])
    expect(await dry({ ...event, more: 1 })).toEqual([422, 'invalid_request'])
    expect((await api.ask('POST', '/v1/events?dry_run=yes', event)).status).toBe(422)
    expect((await api.ask('POST', '/v1/events?dry_run=0', event)).status).toBe(202)
  })

  test('holds the data to its schema as publishing does', async () => {
    const tenant = await newTenant()
    await subscribe(tenant)
    await api.ask('PUT', '/v1/event-types/invoice.held', { validation: 'warn' })
    await api.ask('POST', '/v1/event-types/invoice.held/versions', { schema: { type: 'object' } })
    const dry = () => api.ask('POST', '/v1/events?dry_run=1', { tenant, type: 'invoice.held', data: 1 })
    const warned = await dry()
    expect(warned.body.validation_errors).toEqual([{ pointer: '/data', detail: 'must be object' }])
    expect(warned.body.data[0].request).not.toBeNull()
    await api.ask('PUT', '/v1/event-types/invoice.held', { validation: 'reject' })
    const refused = await dry()
    expect([refused.status, refused.body.code]).toEqual([422, 'payload_invalid'])
  })

  test('creates no event type where publishing would', async () => {
    await using own = await startTestApi({ createEventTypes: true })
    const event = { tenant: 'acme', type: 'never.heard', data: 1 }
    expect((await own.ask('POST', '/v1/events?dry_run=1', event)).status).toBe(200)
    expect((await own.ask('GET', '/v1/event-types/never.heard')).status).toBe(404)
  })

  test('says that an event was published before, and then has nothing to send', async () => {
    const tenant = await newTenant()
    await subscribe(tenant)
    const event = { tenant, type: 'invoice.paid', data: 1, id: 'in_1' }
    const before = await api.ask('POST', '/v1/events?dry_run=1', event)
    expect([before.body.duplicate, before.body.data[0].request === null]).toEqual([false, false])
    await api.ask('POST', '/v1/events', event)
    const after = await api.ask('POST', '/v1/events?dry_run=1', event)
    expect([after.body.duplicate, after.body.data[0].request]).toEqual([true, null])
  })

  test('403 for a key that may publish but not read subscriptions', async () => {
    const event = { tenant: 'acme', type: 'invoice.paid', data: 1 }
    const { status, body } = await api.ask('POST', '/v1/events?dry_run=1', event, { as: 'publisher' })
    expect([status, body.code]).toEqual([403, 'forbidden'])
    expect((await api.ask('POST', '/v1/events', event, { as: 'publisher' })).status).toBe(202)
  })

  test('bodies beyond what an answer may hold are left out, and counted', async () => {
    const tenant = await newTenant()
    for (let n = 0; n < 12; n += 1) await subscribe(tenant)
    const event = { tenant, type: 'invoice.paid', data: 'x'.repeat(limits.eventDataBytesMax - 2) }
    const { body } = await api.ask('POST', '/v1/events?dry_run=1', event)
    const requests: { body: string | null; body_bytes: number }[] = body.data.map(
      (one: { request: object }) => one.request,
    )
    const shown = requests.filter((request) => request.body !== null)
    expect([requests.length, shown.length]).toEqual([12, 7])
    expect(requests.every((request) => request.body_bytes > limits.eventDataBytesMax)).toBe(true)
  })
})
