// Receives webhooks with Node's own server and the library `standardwebhooks`.
import { createServer } from 'node:http'
import { Webhook } from 'standardwebhooks'

const bodyBytesMax = 1024 * 1024

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

const server = createServer(async (request, response) => {
  try {
    const body = await readBody(request)
    if (body === undefined) return response.writeHead(413, { connection: 'close' }).end()
    if (!isAuthentic(request.headers, body)) return response.writeHead(401).end()

    const id = request.headers['webhook-id']
    if (!events.has(id)) {
      // Store it, answer, and do the work later.
      // JSON.parse(body) has `type`, `timestamp` and `data`.
      events.set(id, body)
      console.log(`received ${id}`)
    }
    response.writeHead(204).end()
  } catch (error) {
    console.error(error)
    response.writeHead(500).end()
  }
})

/** The raw body, exactly as sent: these bytes were signed. Undefined if it is too long. */
async function readBody(request) {
  const chunks = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes <= bodyBytesMax) chunks.push(chunk)
  }
  return bytes <= bodyBytesMax ? Buffer.concat(chunks) : undefined
}

server.listen(process.env.PORT ?? 8080, '127.0.0.1', () => {
  console.log(`port ${server.address().port}`)
})
