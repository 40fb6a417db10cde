// Receives webhooks with Express and the library `standardwebhooks`.
import express from 'express'
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

const app = express()

// express.raw keeps the raw bytes, which were signed. Do not put express.json() before it.
app.post('/webhooks', express.raw({ type: '*/*', limit: '1mb' }), (request, response) => {
  const body = request.body ?? Buffer.alloc(0)
  if (!isAuthentic(request.headers, body)) return response.sendStatus(401)

  const id = request.headers['webhook-id']
  if (!events.has(id)) {
    // Store it, answer, and do the work later.
    // JSON.parse(body) has `type`, `timestamp` and `data`.
    events.set(id, body)
    console.log(`received ${id}`)
  }
  response.sendStatus(204)
})

const server = app.listen(process.env.PORT ?? 8080, '127.0.0.1', (error) => {
  if (error) throw error
  console.log(`port ${server.address().port}`)
})
