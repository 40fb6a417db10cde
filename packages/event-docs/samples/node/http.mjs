// Receives webhooks with Node's own server and the library `standardwebhooks`.
import { createServer } from 'node:http'
import { Webhook } from 'standardwebhooks'

const bodyBytesMax = 1024 * 1024

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

const server = createServer(async (request, response) => {
  try {
    const body = await readBody(request)
    if (body === undefined) return response.writeHead(413, { connection: 'close' }).end()
    if (!isAuthentic(request.headers, body)) return response.writeHead(400).end()

    const id = request.headers['webhook-id']
    if (!events.has(id)) {
      // Keep it, answer, and work on it afterwards: JSON.parse(body) has `type`, `timestamp` and `data`.
      events.set(id, body)
      console.log(`received ${id}`)
    }
    response.writeHead(204).end()
  } catch (error) {
    console.error(error)
    response.writeHead(500).end()
  }
})

/** The body byte by byte as it was sent: the signature is over these bytes. Undefined when it is too long. */
async function readBody(request) {
  const chunks = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes <= bodyBytesMax) chunks.push(chunk)
  }
  return bytes <= bodyBytesMax ? Buffer.concat(chunks) : undefined
}

server.listen(process.env.PORT ?? 8080, '127.0.0.1', () => console.log(`port ${server.address().port}`))
