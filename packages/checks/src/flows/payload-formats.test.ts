import type { PayloadFormat } from '@posthorn/contract'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { eventSource, sentId, startTestPosthorn } from './posthorn.ts'

const data = '{"big": 12345678901234567890, "one": 1.0, "o": {"b":1,"a":2}, "emoji": "Zoë 漢 😀", "o": 2 }'
const time = '2026-11-23T10:00:00.123Z'

test('in every format the data arrives byte for byte, and the signature is valid over the body that arrived', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const bodies: Record<PayloadFormat, (id: string) => string> = {
    standard: () => `{"type":"invoice.paid","timestamp":"${time}","data":${data}}`,
    'cloudevents-structured': (id) =>
      `{"specversion":"1.0","id":"${id}","source":"${eventSource}","type":"invoice.paid","time":"${time}","datacontenttype":"application/json","data":${data}}`,
    'cloudevents-binary': () => data,
    raw: () => data,
  }
  const formats = Object.keys(bodies) as PayloadFormat[]
  const subscriptions = await Promise.all(formats.map(() => posthorn.subscribe()))
  for (const [index, payloadFormat] of formats.entries()) {
    const subscription = subscriptions[index]
    if (subscription !== undefined) await posthorn.change(subscription, { payloadFormat })
  }
  const { eventId } = await posthorn.publish({ data, timestamp: new Date(time) })
  await posthorn.recorded(formats.length)
  for (const [index, format] of formats.entries()) {
    const { path, secret } = subscriptions[index] ?? { path: '', secret: '' }
    const request = posthorn.receiver.requests.find((one) => one.path === path)
    expect(request).toMatchObject({
      signature: 'valid',
      body: bodies[format](sentId(eventId)),
      headers: { 'webhook-id': sentId(eventId), 'posthorn-event-type': 'invoice.paid' },
    })
    // The reference library agrees with ours.
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = request?.headers ?? {}
    const signed = { 'webhook-id': String(id), 'webhook-timestamp': String(at), 'webhook-signature': String(signature) }
    expect(() => new Webhook(secret).verify(request?.body ?? '', signed)).not.toThrow()
    expect(() => new Webhook(secret).verify(`${request?.body} `, signed)).toThrow()
  }
})

test('in the binary mode of CloudEvents the attributes are headers, escaped, with the schema that the data fits', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await posthorn.change(subscription, { payloadFormat: 'cloudevents-binary' })
  await posthorn.db.prisma.eventType.create({
    data: {
      name: 'invoice.paid',
      validation: 'warn',
      latestVersion: 2,
      versions: { create: { version: 2, schema: { type: 'object' } } },
    },
  })
  const { eventId } = await posthorn.publish({ data, timestamp: new Date(time) })
  await posthorn.recorded(1)
  const { headers } = posthorn.receiver.requests[0] ?? { headers: {} }
  expect(Object.fromEntries(Object.entries(headers).filter(([name]) => /^(ce-|content-type)/.test(name)))).toEqual({
    'content-type': 'application/json',
    'ce-specversion': '1.0',
    'ce-id': sentId(eventId),
    'ce-source': 'https://posthorn.test/a%2520b',
    'ce-type': 'invoice.paid',
    'ce-time': time,
    'ce-dataschema': 'https://posthorn.test/v1/event-types/invoice.paid/versions/2',
  })
})

test('data that was stored with a warning does not fit its schema, so no schema is named', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await posthorn.change(subscription, { payloadFormat: 'cloudevents-structured' })
  await posthorn.db.prisma.eventType.create({
    data: {
      name: 'invoice.paid',
      validation: 'warn',
      latestVersion: 2,
      versions: { create: { version: 2, schema: { type: 'array' } } },
    },
  })
  await posthorn.publish()
  await posthorn.recorded(1)
  expect(await posthorn.db.prisma.event.findFirstOrThrow()).toMatchObject({ schemaVersion: 2 })
  const { body, headers } = posthorn.receiver.requests[0] ?? { body: '', headers: {} }
  expect(headers['content-type']).toBe('application/cloudevents+json; charset=UTF-8')
  expect(JSON.parse(body)).not.toHaveProperty('dataschema')
})
