/**
 * Publishing without a database: Fastify with the schemas of the real route, and the shortest handler that can answer.
 * With a receiver it sends each event on, signed, before it answers: the least that anything between a publisher and a
 * receiver can take.
 */
import { formatId, PublishEvent, PublishedEvent } from '@posthorn/contract'
import { envelope } from '@posthorn/engine'
import Fastify from 'fastify'
import { createRawSender } from './raw-sender.ts'

/** As many as the publishers' clients. */
const connections = 32
const nil = '00000000-0000-7000-8000-000000000000'
const deliveries = [{ id: formatId('delivery', nil), subscription_id: formatId('subscription', nil) }]

/**
 * @param now Unix time in milliseconds
 * @param receiverPort where events are sent on; nowhere when undefined
 */
export async function startRawApi(now: () => number, receiverPort: number | undefined): Promise<{ origin: string }> {
  const sender = receiverPort === undefined ? undefined : createRawSender(receiverPort, connections, now)
  const app = Fastify()
  let accepted = 0
  app.post<{ Body: PublishEvent }>(
    '/v1/events',
    { schema: { body: PublishEvent, response: { 202: PublishedEvent } } },
    async ({ body }, reply) => {
      accepted += 1
      const event = { type: body.type, timestamp: new Date(now()), data: JSON.stringify(body.data) }
      const id = await sender?.send(accepted, '/0', envelope(event))
      return reply.code(202).send({ id: id ?? formatId('event', nil), duplicate: false, deliveries })
    },
  )
  return { origin: await app.listen({ host: '127.0.0.1', port: 0 }) }
}
