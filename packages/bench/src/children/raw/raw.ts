/** What this machine does without Posthorn: the ceilings that its results stand beside. */
import { startRawApi } from './raw-api.ts'
import { createRawSender } from './raw-sender.ts'

export type RawPosts = {
  receiverPort: number
  /** Requests in flight at once, each on a connection of its own. */
  concurrency: number
  count: number
  body: string
  /** Different paths, which take turns. */
  paths: number
}

export type RawCalls = {
  /** Sends signed requests and waits for their answers. Answers how long that took, and the CPU of this process. */
  post(posts: RawPosts): Promise<{ ms: number; cpuMs: number }>
  /** Starts an HTTP server that takes publishes and keeps nothing; with a receiver, it sends each on. */
  serve(options: { receiverPort?: number }): Promise<{ origin: string }>
}

export type RawParts = { now(): number; monotonicMs(): number; cpuMs(): number }

export function createRaw({ now, monotonicMs, cpuMs }: RawParts): RawCalls {
  return {
    async post({ receiverPort, concurrency, count, body, paths }) {
      const sender = createRawSender(receiverPort, concurrency, now)
      const startMs = monotonicMs()
      const cpuAtStartMs = cpuMs()
      let sent = 0
      async function slot(): Promise<void> {
        while (sent < count) {
          sent += 1
          await sender.send(sent, `/${sent % paths}`, body)
        }
      }
      await Promise.all(Array.from({ length: concurrency }, slot))
      const result = { ms: monotonicMs() - startMs, cpuMs: cpuMs() - cpuAtStartMs }
      await sender.close()
      return result
    },
    serve: ({ receiverPort }) => startRawApi(now, receiverPort),
  }
}
