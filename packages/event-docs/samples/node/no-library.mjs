// Receives webhooks with nothing but Node itself.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'

const toleranceSeconds = 300
const bodyBytesMax = 1024 * 1024

// One secret, or several separated by spaces while you rotate.
const secrets = process.env.WEBHOOK_SECRET?.match(/\S+/g) ?? []
const keys = secrets.map((secret) => Buffer.from(secret.replace(/^whsec_/, ''), 'base64'))
if (keys.length === 0 || keys.some((key) => key.length < 24)) {
  throw new Error('Set WEBHOOK_SECRET to whsec_…')
}

/** Whether this was signed with one of the secrets in the last five minutes. */
function isAuthentic(headers, body) {
  const id = headers['webhook-id'] ?? ''
  const timestamp = headers['webhook-timestamp'] ?? ''
  const signatures = headers['webhook-signature'] ?? ''
  if (!/^[A-Za-z0-9_-]+$/.test(id) || !/^[1-9][0-9]{0,10}$/.test(timestamp)) return false
  if (!/^[!-~]+( [!-~]+){0,31}$/.test(signatures)) return false
  const age = Math.floor(Date.now() / 1000) - Number(timestamp)
  if (Math.abs(age) > toleranceSeconds) return false

  return keys.some((key) => {
    const hmac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body)
    const expected = Buffer.from(`v1,${hmac.digest('base64')}`)
    return signatures.split(' ').some((signature) => {
      const given = Buffer.from(signature)
      return given.length === expected.length && timingSafeEqual(given, expected)
    })
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
