import { limits, parseId } from '@posthorn/contract'
import { createTransforms, transformHash } from '@posthorn/engine'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const canary = 'CANARY'
const path = '/v1/tenants/acme/subscriptions'
const draft = { url: callbackUrl, event_types: ['invoice.*'] }
const event = { type: 'invoice.paid', data: { id: 'in_1', total: 12.5, name: canary } }

async function subscribe(more: Record<string, unknown> = {}, tenant = 'acme') {
  const { status, body } = await api.ask('POST', `/v1/tenants/${tenant}/subscriptions`, { ...draft, ...more })
  expect(status).toBe(201)
  return body
}

const preview = (id: string, body: unknown, options = {}) =>
  api.ask('POST', `/v1/subscriptions/${id}/transform-previews`, body, options)

describe('a transform of a subscription', () => {
  test('is kept as it was written, shown wherever the subscription is, replaced by a change and cleared by null', async () => {
    const transform = '  /* ours */ {"total": data.total}\n'
    const made = await subscribe({ transform })
    expect(made.transform).toBe(transform)
    const change = async (body: unknown) =>
      (await api.ask('PATCH', `/v1/subscriptions/${made.id}`, body)).body.transform
    expect((await api.ask('GET', `/v1/subscriptions/${made.id}`)).body.transform).toBe(transform)
    expect(await change({ description: 'x' })).toBe(transform)
    expect(await change({ transform: 'data' })).toBe('data')
    expect(await change({ transform: null })).toBeNull()
    expect((await subscribe()).transform).toBeNull()
    expect((await subscribe({ transform: null })).transform).toBeNull()
  })

  test.each([
    ['data.total &', 'cannot be used: Unexpected end of expression, near character 12 (JSONata S0207)'],
    ['(', 'cannot be used: Expected ")" before end of expression, near character 1 (JSONata S0203)'],
    ['   ', 'cannot be used: Unexpected end of expression, near character 3 (JSONata S0207)'],
    [
      '$eval(data.name)',
      'cannot be used: $eval is not available: an expression that is made of data cannot be checked, near character 6',
    ],
    ['$random()', 'cannot be used: $random is not available: every attempt must send the same body, near character 8'],
    ['$sumn(data.a)', 'cannot be used: There is no function $sumn, near character 6'],
    [
      Array(300).fill('1').join('+'),
      `cannot be used: The expression is nested deeper than ${limits.transformDepthMax} levels, near character`,
    ],
    ['('.repeat(limits.transformBytesMax), 'cannot be used: '],
    [
      'é'.repeat(limits.transformBytesMax),
      `is ${2 * limits.transformBytesMax} bytes; at most ${limits.transformBytesMax} are accepted`,
    ],
  ])('422 when it is %j, with the place', async (transform, detail) => {
    const one = await subscribe()
    for (const answer of [
      await api.ask('POST', path, { ...draft, transform }),
      await api.ask('PATCH', `/v1/subscriptions/${one.id}`, { transform }),
      await preview(one.id, { ...event, transform }),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([422, 'invalid_transform'])
      expect(answer.body.errors).toEqual([{ pointer: '/transform', detail: expect.stringContaining(detail) }])
    }
    expect((await api.ask('GET', `/v1/subscriptions/${one.id}`)).body.transform).toBeNull()
  })

  test.each([[''], [7], [{}], ['a\u0000b'], ['a\ud800b'], ['a'.repeat(limits.transformBytesMax + 1)]])(
    '422 when it does not have the form of one: %j',
    async (transform) => {
      const answer = await api.ask('POST', path, { ...draft, transform })
      expect([answer.status, answer.body.code, answer.body.errors[0].pointer]).toEqual([
        422,
        'invalid_request',
        '/transform',
      ])
    },
  )

  test('one that would never end is kept without being evaluated', async () => {
    const { transform } = await subscribe({ transform: '($f := function($x) { $f($x) }; $f(1))' })
    expect(transform).toContain('$f($x)')
  })

  test('503 when it cannot be checked, and nothing is changed', async () => {
    const transforms = createTransforms()
    transforms.close()
    await using closed = await startTestApi({ transforms })
    const answer = await closed.ask('POST', path, { ...draft, transform: 'data' })
    expect([answer.status, answer.body.code]).toEqual([503, 'overloaded'])
    expect(answer.headers['retry-after']).toBeDefined()
    expect(await closed.db.prisma.subscription.count()).toBe(0)
    // Whatever needs no transform needs no evaluator.
    expect((await closed.ask('POST', path, draft)).status).toBe(201)
  })

  test('the same one may be given to many subscriptions at the same time', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => subscribe()))
    const body = { transform: '{"same": data.id}' }
    const answers = await Promise.all(made.map(({ id }) => api.ask('PATCH', `/v1/subscriptions/${id}`, body)))
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(await api.db.prisma.transform.count({ where: { hash: transformHash(body.transform) } })).toBe(1)
  })

  test('of those that a tenant has had, the newest thousand are kept', async () => {
    await api.ask('PUT', '/v1/tenants/busy', {})
    const one = await subscribe({}, 'busy')
    const old = Array.from({ length: limits.transformsKeptMax }, (_, n) => ({
      tenantId: 'busy',
      hash: transformHash(String(n)),
      expression: String(n),
      givenAt: new Date(n),
    }))
    await api.db.prisma.transform.createMany({ data: old })
    await api.ask('PATCH', `/v1/subscriptions/${one.id}`, { transform: '"new"' })
    await api.ask('PATCH', `/v1/subscriptions/${one.id}`, { transform: '"newer"' })
    const kept = await api.db.prisma.transform.findMany({ where: { tenantId: 'busy' }, orderBy: { givenAt: 'asc' } })
    expect(kept).toHaveLength(limits.transformsKeptMax)
    expect([kept[0]?.expression, kept.at(-2)?.expression, kept.at(-1)?.expression]).toEqual(['2', '"new"', '"newer"'])
    await api.ask('DELETE', '/v1/tenants/busy')
    expect(await api.db.prisma.transform.count({ where: { tenantId: 'busy' } })).toBe(0)
  })
})

describe('a preview', () => {
  test('shows the request that the transform makes of an event that nobody has published', async () => {
    const one = await subscribe({
      transform: '{"own": true}',
      payload_format: 'raw',
      headers: { 'x-a': 'b' },
      auth: { type: 'bearer', token: canary },
    })
    const { status, body, text } = await preview(one.id, {
      ...event,
      data: { id: 'in_1' },
      keys: { region: 'eu' },
      timestamp: '2026-11-23T10:00:00.000Z',
      transform: '{"id": data.id, "region": keys.region, "at": timestamp, "now": $now()}',
    })
    const made = '{"id":"in_1","region":"eu","at":"2026-11-23T10:00:00.000Z","now":"2026-11-23T10:00:00.000Z"}'
    expect([status, body.transform_failure]).toEqual([200, null])
    expect(body.request).toMatchObject({
      method: 'POST',
      url: callbackUrl,
      headers: { 'x-a': 'b', 'content-type': 'application/json', authorization: '[redacted]' },
      body: made,
      body_bytes: made.length,
    })
    expect(text).not.toContain(canary)
    expect(Object.keys(body.request.headers).filter((name) => name.startsWith('webhook-'))).toEqual([])
    expect((await preview(one.id, event)).body.request.body).toBe('{"own":true}')
    expect(await api.db.prisma.event.count()).toBe(0)
  })

  test('with null in place of the transform shows the data as it was published, to the byte', async () => {
    const one = await subscribe({ transform: 'data', payload_format: 'raw' })
    const data = '{"big": 12345678901234567890, "one": 1.0}'
    const text = `{"type":"invoice.paid","data":${data},"transform":null}`
    expect((await preview(one.id, undefined, { text })).body.request.body).toBe(data)
    // What goes through a transform is made of doubles.
    const transformed = await preview(one.id, undefined, { text: text.replace(',"transform":null', '') })
    expect(transformed.body.request.body).toBe('{"big":12345678901234567000,"one":1}')
  })

  test('takes an event that was published, of the same tenant only', async () => {
    const one = await subscribe({ event_types: ['*'] })
    const elsewhere = await subscribe({ event_types: ['*'] }, 'globex')
    const published = await api.ask('POST', '/v1/events', { tenant: 'acme', ...event })
    const body = { event_id: published.body.id, transform: '[id, data.total]' }
    const shown = await preview(one.id, body)
    expect(JSON.parse(shown.body.request.body)).toMatchObject({ type: 'invoice.paid', data: [published.body.id, 12.5] })
    const foreign = await preview(elsewhere.id, body)
    expect([foreign.status, foreign.body.code]).toEqual([404, 'event_not_found'])
    const stranger = await preview(elsewhere.id, { ...event, transform: 'data' }, { as: 'tenant' })
    expect([stranger.status, stranger.body.code]).toEqual([404, 'subscription_not_found'])
  })

  test.each([
    [{}, '/type'],
    [{ type: 'invoice.paid' }, '/data'],
    [{ data: 1 }, '/type'],
    [{ ...event, timestamp: '2026-02-30T00:00:00Z' }, '/timestamp'],
    [{ ...event, more: 1 }, '/more'],
    [{ event_id: 'evt_01karfmq1yfcesmh0cdwq8tprq', data: 1 }, '/data'],
    [{ event_id: 'nonsense' }, '/event_id'],
  ])('422 for %j', async (body, pointer) => {
    const one = await subscribe()
    const answer = await preview(one.id, body)
    expect([answer.status, answer.body.code, answer.body.errors[0].pointer]).toEqual([422, 'invalid_request', pointer])
  })

  test.each([
    ['$number(data.name)', `Unable to cast value to a number: "${canary}", near character 8 (JSONata D3030).`, 8],
    ['$error("no " & data.name)', `no ${canary}, near character 7 (JSONata D3137).`, 7],
    ['data.nothing', 'The result is nothing.', null],
    ['($f := function($x) { $f($x) }; $f(1))', `The transform took longer than ${limits.transformMsMax} ms.`, null],
  ])('says why %s makes nothing, in the words of whoever may see the event', async (transform, detail, position) => {
    const one = await subscribe()
    const { status, body } = await preview(one.id, { ...event, transform })
    expect([status, body]).toEqual([200, { request: null, transform_failure: { detail, position } }])
  })
})

test('a dry run says of each subscription what its transform makes, or why it makes nothing', async () => {
  await api.ask('PUT', '/v1/tenants/dry', {})
  const works = await subscribe({ transform: '{"id": data.id}', payload_format: 'raw' }, 'dry')
  const fails = await subscribe({ transform: 'data.nothing' }, 'dry')
  const plain = await subscribe({ payload_format: 'raw' }, 'dry')
  const { status, body } = await api.ask('POST', '/v1/events?dry_run=1', { tenant: 'dry', ...event })
  expect(status).toBe(200)
  const shown = body.data.map(
    (match: { subscription_id: string; request: { body: string } | null; transform_failure: unknown }) => [
      match.subscription_id,
      match.request?.body,
      match.transform_failure,
    ],
  )
  expect(shown).toEqual([
    [works.id, '{"id":"in_1"}', null],
    [fails.id, undefined, { detail: 'The result is nothing.', position: null }],
    [plain.id, JSON.stringify(event.data), null],
  ])
})

test('the body shown beside attempts is what the transform of that time made, and null when that cannot be proven', async () => {
  const transform = '{"id": data.id}'
  const one = await subscribe({ event_types: ['*'], transform, payload_format: 'raw' })
  const shown = (await preview(one.id, event)).body.request
  await api.ask('POST', '/v1/events', { tenant: 'acme', ...event })
  const { body: found } = await api.ask('GET', `/v1/deliveries?subscription=${one.id}`)
  const id = parseId('delivery', found.data[0].id) ?? ''
  const delivery = await api.db.prisma.delivery.findUniqueOrThrow({ where: { id } })
  await api.db.prisma.attempt.create({
    data: {
      id: crypto.randomUUID().replace(/^.{13}/, delivery.id.slice(0, 13)),
      tenantId: 'acme',
      deliveryId: delivery.id,
      eventId: delivery.eventId,
      subscriptionId: delivery.subscriptionId,
      number: 1,
      trigger: 'automatic',
      startedAt: new Date(),
      url: callbackUrl,
      requestHeaders: shown.headers,
      responseHeaders: {},
      responseBody: new Uint8Array(),
      responseTruncated: false,
      waitMs: 0,
      totalMs: 1,
      httpStatus: 200,
    },
  })
  const told = async (as = 'admin') =>
    (await api.ask('GET', `/v1/deliveries/${found.data[0].id}/attempts`, undefined, { as })).body.request_body
  expect(await told()).toBe('{"id":"in_1"}')
  await api.ask('PATCH', `/v1/subscriptions/${one.id}`, { transform: '{"changed": 1}' })
  expect(await told()).toBe('{"id":"in_1"}')
  expect(await told('support')).toBeNull()
  await api.db.prisma.transform.deleteMany({ where: { hash: transformHash(transform) } })
  expect(await told()).toBeNull()
})
