/**
 * An answer of server-sent events (HTML Standard §9.2) to one reader. A reader that does not keep up is cut off: what waits
 * for it is bounded, and nobody else ever waits for it.
 */
import { Readable } from 'node:stream'

/** A connection without traffic ends at a proxy sooner than here. */
export const heartbeatMs = 15_000
/** What a browser waits before it asks again, in milliseconds. */
const reconnectMs = 3_000

export type EventAnswer = {
  /** What is sent. Ends when the reader has gone, too. */
  readonly body: Readable
  /** @param data has no line breaks, which JSON never needs */
  send(message: { id?: string; event: string; data: unknown }): void
  /** Where a reader is, without a message: what it says when it asks again. */
  mark(id: string): void
  /** A comment: shows that the connection lives. With where the reader is, when nothing has come for long. */
  heartbeat(id: string): void
  end(): void
  /** Called once, when it has ended for whatever reason. */
  onEnd(listener: () => void): void
}

/** @param bufferBytesMax what may wait for the reader */
export function createEventAnswer(bufferBytesMax: number): EventAnswer {
  const body = new Readable({ read: () => undefined })

  function push(text: string): void {
    if (body.destroyed || body.readableEnded) return
    body.push(text)
    if (body.readableLength > bufferBytesMax) body.destroy()
  }

  push(`retry: ${reconnectMs}\n\n`)
  let ended = false
  return {
    body,
    send({ id, event, data }) {
      if (!ended) push(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
    },
    mark: (id) => {
      if (!ended) push(`id: ${id}\n\n`)
    },
    heartbeat: (id) => {
      if (!ended) push(`: heartbeat\nid: ${id}\n\n`)
    },
    end() {
      if (ended) return
      ended = true
      body.push(null)
    },
    onEnd: (listener) => void body.once('close', listener),
  }
}
