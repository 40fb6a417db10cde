// Receives webhooks with Express and the library `standardwebhooks`.
import express from 'express'
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

const app = express()

// express.raw keeps the body byte by byte, as it was signed. No express.json() may come before it.
app.post('/webhooks', express.raw({ type: '*/*', limit: '1mb' }), (request, response) => {
  const body = request.body ?? Buffer.alloc(0)
  if (!isAuthentic(request.headers, body)) return response.sendStatus(400)

  const id = request.headers['webhook-id']
  if (!events.has(id)) {
    // Keep it, answer, and work on it afterwards: JSON.parse(body) has `type`, `timestamp` and `data`.
    events.set(id, body)
    console.log(`received ${id}`)
  }
  response.sendStatus(204)
})

const server = app.listen(process.env.PORT ?? 8080, '127.0.0.1', (error) => {
  if (error) throw error
  console.log(`port ${server.address().port}`)
})
