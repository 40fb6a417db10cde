/**
 * Signed POSTs by undici and nothing else: no database, no claims, no guard, no record of what came. The requests look
 * like Posthorn's, header for header.
 */
import { parseSecret, signedHeaders } from '@posthorn/signing'
import { Pool } from 'undici'

/** As long as Posthorn's own, 36 bytes. */
const secret = `whsec_${Buffer.alloc(36, 7).toString('base64')}`
/** Digits of an id behind its prefix. */
const idLength = 26

export type RawSender = {
  /** Resolves with the id that was sent, which is made of the number. */
  send(number: number, path: string, body: string): Promise<string>
  close(): Promise<void>
}

/** @param now Unix time in milliseconds */
export function createRawSender(port: number, connections: number, now: () => number): RawSender {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1 })
  const key = parseSecret(secret)
  return {
    async send(number, path, body) {
      const id = `evt_${number.toString(32).padStart(idLength, '0')}`
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'Posthorn/bench',
        ...signedHeaders({ id, timestamp: Math.floor(now() / 1000), body }, [key]),
        'posthorn-event-type': 'order.paid',
        'posthorn-attempt': '1',
      }
      const answer = await pool.request({ method: 'POST', path, headers, body })
      await answer.body.dump()
      return id
    },
    close: () => pool.close(),
  }
}
