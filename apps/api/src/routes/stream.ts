import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { formatId, limits, Problem, type StreamEndReason, StreamHeaders, StreamQuery } from '@posthorn/contract'
import { createStream, inQuery, parseListFilter, streamPosition } from '@posthorn/engine'
import type { FastifyReply } from 'fastify'
import type { RouteParts } from '../parts.ts'
import { refusals } from '../refusals.ts'
import { createEventAnswer, type EventAnswer, heartbeatMs } from '../server-sent-events.ts'
import { streamedAttemptView } from '../views/streamed-attempt.ts'

const tags = ['Deliveries']
const fullRetryAfterSeconds = 5
const stoppingRetryAfterSeconds = 1

export const streamRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, parts) => {
  const stream = createStream(parts)
  /** By the key that reads. */
  const open = new Map<string, Set<(reason: StreamEndReason) => void>>()
  const endAll = (reason: StreamEndReason) => {
    for (const ends of open.values()) for (const end of ends) end(reason)
  }
  // A server that stops waits for the answers under way, and these would never end.
  let isStopping = false
  app.addHook('preClose', async () => {
    isStopping = true
    endAll('stopping')
  })
  app.addHook('onClose', () => stream[Symbol.asyncDispose]())

  app.get(
    '/stream',
    {
      config: { permission: 'stream:read' },
      schema: {
        operationId: 'streamAttempts',
        summary: 'Be told of attempts as they are recorded',
        description: `Server-sent events, with ids and states and nothing else. \`attempt\`: one was recorded; its data is a \`StreamedAttempt\`. With \`last-event-id\`, what was recorded since the stream gave that id is told first, and some of it perhaps a second time: tell by \`attempt_id\`. The stream gives ids with messages and without: at its beginning, and every ${heartbeatMs / 1000} s. \`reset\`, with a \`reason\`: something may be missing, so read the lists again. \`end\`, with a \`reason\`: the server ends the stream. A reader that falls more than ${limits.streamBufferBytesMax / 1024} KiB behind is cut off.`,
        tags,
        querystring: StreamQuery,
        headers: StreamHeaders,
        response: {
          200: {
            description: 'Goes on until one side ends it',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
          ...refusals({ body: false }, 'overloaded'),
        },
      },
    },
    async (request, reply) => {
      const { id: credentialId, tenantId } = request.credential
      const { max_seconds: seconds, ...words } = request.query
      const ends = open.get(credentialId) ?? new Set()
      // Whoever was ended asks again at once, over the same connection, and would be waited for without an end.
      if (isStopping) {
        throw new Problem('overloaded', 'This process is being stopped. Ask again.', {
          retryAfterSeconds: stoppingRetryAfterSeconds,
        })
      }
      refuseTooMany(open, ends)
      const answer = createEventAnswer(limits.streamBufferBytesMax)
      const end = (reason: StreamEndReason) => {
        answer.send({ event: 'end', data: { reason } })
        answer.end()
      }
      open.set(credentialId, ends.add(end))
      const lastId = request.headers['last-event-id']
      const position = () => streamPosition(parts.world.now())
      // Whoever is cut off before anything has come goes on from here, too.
      if (lastId === undefined) answer.mark(position())
      let reading: { stop(): void } | undefined
      let beating: NodeJS.Timeout | undefined
      let lasting: NodeJS.Timeout | undefined
      answer.onEnd(() => {
        clearInterval(beating)
        clearTimeout(lasting)
        reading?.stop()
        ends.delete(end)
        if (ends.size === 0) open.delete(credentialId)
      })
      try {
        reading = await stream.read(
          parseListFilter(words, {
            within: tenantId,
            nowMs: parts.world.now(),
            pointer: inQuery,
          }),
          {
            attempts(rows) {
              for (const row of rows) {
                answer.send({ id: formatId('attempt', row.id), event: 'attempt', data: streamedAttemptView(row) })
              }
            },
            reset: (reason) => answer.send({ id: position(), event: 'reset', data: { reason } }),
          },
          lastId,
        )
      } catch (error) {
        answer.body.destroy()
        throw error
      }
      if (answer.body.destroyed) reading.stop()
      beating = setInterval(() => {
        answer.heartbeat(position())
        // While the database is away nobody can tell, and nothing is told.
        request.mayStillAsk().then(
          (may) => may || end('credential_ended'),
          () => undefined,
        )
      }, parts.heartbeatMs ?? heartbeatMs)
      if (seconds !== undefined) lasting = setTimeout(() => end('time_over'), seconds * 1_000)
      if (answer.body.destroyed) {
        clearInterval(beating)
        clearTimeout(lasting)
      }
      return sendEvents(reply, answer)
    },
  )
}

function sendEvents(reply: FastifyReply, { body }: EventAnswer): FastifyReply {
  // A proxy must not gather what is to be seen now.
  return reply.type('text/event-stream; charset=utf-8').header('x-accel-buffering', 'no').send(body)
}

/** @throws Problem `overloaded` */
function refuseTooMany(open: ReadonlyMap<string, ReadonlySet<unknown>>, own: ReadonlySet<unknown>): void {
  let all = 0
  for (const ends of open.values()) all += ends.size
  const detail =
    own.size >= limits.streamsPerKeyMax
      ? `This key reads ${limits.streamsPerKeyMax} streams already. End one of them first.`
      : all >= limits.streamsMax
        ? `This process serves ${limits.streamsMax} streams already. Try again in a moment.`
        : undefined
  if (detail !== undefined) throw new Problem('overloaded', detail, { retryAfterSeconds: fullRetryAfterSeconds })
}
