// Receives webhooks with Fastify and the library `standardwebhooks`.
import Fastify from 'fastify'
import { Webhook } from 'standardwebhooks'

// One secret, or two with a space between while you change from one to the other.
const secrets = process.env.WEBHOOK_SECRET?.match(/\S+/g) ?? []
if (secrets.length === 0) throw new Error('Set WEBHOOK_SECRET to whsec_…')
const webhooks = secrets.map((secret) => new Webhook(secret))

/** Whether the holder of a secret signed exactly this, not more than five minutes ago. */
function isAuthentic(headers, body) {
  return webhooks.some((webhook) => {
    try {
      webhook.verify(body, headers, { jsonParse: false })
      return true
    } catch {
      return false
    }
  })
}

// Stands for your database: a table with a unique index on the id, which is the same when an event is sent again.
const events = new Map()

const app = Fastify({ bodyLimit: 1024 * 1024 })

// A plugin of its own: only its routes get the body byte by byte, as it was signed; the others keep their JSON.
app.register(async (hooks) => {
  hooks.removeAllContentTypeParsers()
  hooks.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  hooks.post('/webhooks', async (request, reply) => {
    const body = request.body ?? Buffer.alloc(0)
    if (!isAuthentic(request.headers, body)) return reply.code(400).send()

    const id = request.headers['webhook-id']
    if (!events.has(id)) {
      // Keep it, answer, and work on it afterwards: JSON.parse(body) has `type`, `timestamp` and `data`.
      events.set(id, body)
      console.log(`received ${id}`)
    }
    return reply.code(204).send()
  })
})

await app.listen({ port: Number(process.env.PORT ?? 8080), host: '127.0.0.1' })
console.log(`port ${app.server.address().port}`)
