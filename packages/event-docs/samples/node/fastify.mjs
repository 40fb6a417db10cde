// Receives webhooks with Fastify and the library `standardwebhooks`.
import Fastify from 'fastify'
import { Webhook } from 'standardwebhooks'

// One secret, or several separated by spaces while you rotate.
const secrets = process.env.WEBHOOK_SECRET?.match(/\S+/g) ?? []
if (secrets.length === 0) throw new Error('Set WEBHOOK_SECRET to whsec_…')
const webhooks = secrets.map((secret) => new Webhook(secret))

/** Whether this was signed with one of the secrets in the last five minutes. */
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

// Stands in for your database. Use a table with a unique index on the id:
// an event that is sent again has the same id.
const events = new Map()

const app = Fastify({ bodyLimit: 1024 * 1024 })

// In a plugin of its own: only its routes get the raw bytes, which were signed.
app.register(async (hooks) => {
  hooks.removeAllContentTypeParsers()
  hooks.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request, body) => body)

  hooks.post('/webhooks', async (request, reply) => {
    const body = request.body ?? Buffer.alloc(0)
    if (!isAuthentic(request.headers, body)) return reply.code(401).send()

    const id = request.headers['webhook-id']
    if (!events.has(id)) {
      // Store it, answer, and do the work later.
      // JSON.parse(body) has `type`, `timestamp` and `data`.
      events.set(id, body)
      console.log(`received ${id}`)
    }
    return reply.code(204).send()
  })
})

await app.listen({ port: Number(process.env.PORT ?? 8080), host: '127.0.0.1' })
console.log(`port ${app.server.address().port}`)
