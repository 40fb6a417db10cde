import { parseId } from '@posthorn/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

async function delivered(tenant: string, attempt = true): Promise<string> {
  const made = await api.ask('POST', `/v1/tenants/${tenant}/subscriptions`, { url: callbackUrl, event_types: ['*'] })
  const text = `{"tenant":"${tenant}","type":"invoice.paid","data":{"it":"'s","n":1.0},"subscriptions":["${made.body.id}"]}`
  const { body } = await api.ask('POST', '/v1/events', undefined, { text })
  const id: string = body.deliveries[0].id
  if (!attempt) return id
  const deliveryId = parseId('delivery', id) ?? ''
  await api.db.prisma.attempt.create({
    data: {
      id: deliveryId,
      tenantId: tenant,
      deliveryId,
      eventId: parseId('event', body.id) ?? '',
      subscriptionId: parseId('subscription', made.body.id) ?? '',
      number: 1,
      trigger: 'automatic',
      startedAt: new Date(),
      url: callbackUrl,
      requestHeaders: {
        'content-type': 'application/json',
        authorization: '[redacted]',
        'x-a': "'",
        'webhook-signature': 'v1,x',
      },
      httpStatus: 200,
      responseHeaders: {},
      responseBody: new Uint8Array(),
      responseTruncated: false,
      waitMs: 1,
      totalMs: 1,
    },
  })
  return id
}

test('the newest request is a command with the exact body, quoted, and without credentials', async () => {
  const id = await delivered('acme')
  for (const as of ['admin', 'viewer', 'tenant']) {
    // A signature is a credential: whoever may not reveal the secret may not use what it made.
    const leftOut = as === 'viewer' ? ['authorization', 'webhook-signature'] : ['authorization']
    const { status, body } = await api.ask('GET', `/v1/deliveries/${id}/curl`, undefined, { as })
    expect([status, body.attempt_number, body.left_out_headers]).toEqual([200, 1, leftOut])
    expect(body.command).toContain(`"data":{"it":"'\\''s","n":1.0}}' | curl`)
    expect(body.command).toContain(`--url '${callbackUrl}'`)
    expect(body.command).toContain(`--header 'x-a: '\\'''`)
    expect(body.command).not.toMatch(/authorization|redacted/)
  }
})

test('403 for keys that may not see payloads, 404 for another tenant, 409 while nothing was sent', async () => {
  const ask = async (id: string, as = 'admin') => {
    const { status, body } = await api.ask('GET', `/v1/deliveries/${id}/curl`, undefined, { as })
    return [status, body.code]
  }
  expect(await ask(await delivered('acme'), 'support')).toEqual([403, 'forbidden'])
  expect(await ask(await delivered('acme'), 'publisher')).toEqual([403, 'forbidden'])
  expect(await ask(await delivered('globex'), 'tenant')).toEqual([404, 'delivery_not_found'])
  expect(await ask('dlv_x')).toEqual([404, 'delivery_not_found'])
  expect(await ask(await delivered('acme', false))).toEqual([409, 'delivery_state_conflict'])
  // As an erasure leaves it: no headers of what was sent, and it was.
  const erased = await delivered('acme', false)
  const { event_id } = (await api.ask('GET', `/v1/deliveries/${erased}`)).body
  const id = parseId('event', event_id) ?? ''
  await api.db.prisma.event.updateMany({ where: { id }, data: { data: 'null', erasedAt: new Date() } })
  expect(await ask(erased)).toEqual([409, 'content_erased'])
})
