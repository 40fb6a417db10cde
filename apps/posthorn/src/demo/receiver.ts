/**
 * A receiver of our own: what a customer's endpoint should be. It keeps the raw body, verifies the signature with the
 * published verifier, and answers as it is told. The demo shows it; the tests deliver to it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseSecret, verify, WebhookArgumentError, WebhookVerificationError } from '@posthorn/signing'

/** More than any event of ours, in bytes. A receiver must not read without a limit either. */
const bodyBytesMax = 1024 * 1024

export type ReceivedRequest = {
  path: string
  headers: IncomingMessage['headers']
  /** The body as it came, as text. */
  body: string
  /** `valid`, the code of what is wrong with the signature, or `unknown_secret` while no secret is trusted for the path. */
  signature: string
  /** How many requests with this `webhook-id` came to this path before. */
  earlier: number
}

export type Answer = { status: number; headers?: Record<string, string>; body?: string }

export type Receiver = AsyncDisposable & {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string
  readonly port: number
  /** Every request since the start, in the order of arrival. */
  readonly requests: readonly ReceivedRequest[]
  /** From now on, requests to `path` are held to this secret. */
  trust(path: string, secret: string): void
}

export type ReceiverOptions = {
  /** 0 for any free port. */
  port?: number
  /** Decides the answer. Without it every request is answered with 204. */
  answer?: (request: ReceivedRequest) => Answer | Promise<Answer>
  now?: () => Date
}

/** Starts a receiver on the loopback interface. */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const { answer = (): Answer => ({ status: 204 }), now = () => new Date() } = options
  const secrets = new Map<string, string>()
  const requests: ReceivedRequest[] = []
  const seen = new Map<string, number>()

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await rawBody(request)
    if (body === undefined) {
      response.writeHead(413).end()
      return
    }
    const received = receive(request, body)
    requests.push(received)
    const { status, headers = {}, body: text = '' } = await answer(received)
    response.writeHead(status, headers).end(text)
  }

  function receive(request: IncomingMessage, body: Buffer): ReceivedRequest {
    const path = request.url ?? '/'
    const key = `${path} ${String(request.headers['webhook-id'])}`
    const earlier = seen.get(key) ?? 0
    seen.set(key, earlier + 1)
    const signature = judgeSignature(request.headers, body, secrets.get(path), now())
    return { path, headers: request.headers, body: body.toString('utf8'), signature, earlier }
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  // Listening on an IP address, so the address is an object.
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    requests,
    trust: (path, secret) => secrets.set(path, secret),
    [Symbol.asyncDispose]() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function judgeSignature(
  headers: IncomingMessage['headers'],
  body: Buffer,
  secret: string | undefined,
  now: Date,
): string {
  if (secret === undefined) return 'unknown_secret'
  try {
    verify({ headers, body, keys: [parseSecret(secret)], now })
    return 'valid'
  } catch (error) {
    if (error instanceof WebhookVerificationError || error instanceof WebhookArgumentError) return error.code
    throw error
  }
}

/** The bytes of the body, or nothing when there are too many. */
async function rawBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length > bodyBytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
