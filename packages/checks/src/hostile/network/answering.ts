/**
 * Does what is asked in a network: with the guard, the resolver and the sender as production puts them together, and with
 * a whole Posthorn in a process of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Problem } from '@posthorn/contract'
import { createSender, type Sender } from '@posthorn/dispatcher'
import {
  type AddressPolicy,
  createResolver,
  createUrlCheck,
  parseAllowedReceivers,
  parseBlockedReceivers,
} from '@posthorn/engine'
import { hostileOwnHosts, type NameServer } from '@posthorn/engine/testing'
import { createSignals } from '../../flows/signals.ts'
import type { Calls, Guard, Reached, Saved } from './calls.ts'

const posthornMain = fileURLToPath(new URL('../../../../../apps/posthorn/src/main.ts', import.meta.url))
const apiOrigin = 'http://127.0.0.1:4400'
export const adminKey = 'phk_networkofitsown0123456789abcdef'
/** A name server that says nothing costs a test so long, in milliseconds. */
const resolveTimeoutMs = 700

export function createCalls(parts: {
  names: NameServer
  /** Added to as connections come. */
  reached: Reached[]
  certificate: string
  execPath: string
  environment: Record<string, string>
}): { answer: Calls; end(): Promise<void> } {
  const { names, reached } = parts
  const senders = new Map<string, Sender>()
  let serving = new AsyncDisposableStack()
  const { notify, until } = createSignals()
  let heard = 0
  let attempts = 0

  function senderOf(guard: Guard): Sender {
    const key = JSON.stringify(guard)
    const sender =
      senders.get(key) ??
      createSender({ policy: policyOf(guard), resolve: resolver(), trustedCertificates: [parts.certificate] })
    senders.set(key, sender)
    return sender
  }

  const answer: Calls = {
    say: (hostname, ...said) => names.say(hostname, ...said),
    asked() {
      const asked = names.asked.slice(heard)
      heard = names.asked.length
      return asked
    },
    reached: () => reached.splice(0),
    async save(guard, url) {
      try {
        return { verdict: 'ok', url: await createUrlCheck(policyOf(guard), resolver())(url) }
      } catch (error) {
        return refusalOf(error)
      }
    },
    async send(guard, url, timeoutMs = 5_000) {
      const outcome = await senderOf(guard).send({ url, headers: {}, body: '{}', timeoutMs })
      const { status, failureCode, failureDetail, remoteAddress, responseHeaders, timings } = outcome
      return { status, failureCode, failureDetail, remoteAddress, responseHeaders, timings }
    },
    async serve(database, settings) {
      const url = new URL(database.url)
      url.hostname = '127.0.0.1'
      url.port = String(await bridge(serving, database.socket))
      const child = spawn(parts.execPath, [posthornMain, 'serve'], {
        env: { ...parts.environment, DATABASE_URL: url.href, POSTHORN_ADMIN_KEY: adminKey, ...settings },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      serving.defer(() => endOf(child))
      let listens = false
      if (child.stdout === null) throw new Error('its standard output was asked for')
      createInterface({ input: child.stdout }).on('line', (line) => {
        const { msg } = JSON.parse(line) as { msg?: string }
        if (msg === 'attempt') attempts += 1
        if (msg === 'posthorn is up') listens = true
        notify()
      })
      const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`posthorn serve ended (${code})`)))
      await Promise.race([until(() => listens), ended])
      ended.catch(() => undefined)
    },
    async stop() {
      await serving.disposeAsync()
      serving = new AsyncDisposableStack()
    },
    async call(method, path, body) {
      const response = await fetch(`${apiOrigin}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${adminKey}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: response.status, body: await response.json() }
    },
    async recorded(count) {
      await until(() => attempts >= count)
    },
  }
  return { answer, end: answer.stop }
}

/** As `posthorn serve` makes it: the name servers are those of this network. */
function resolver() {
  return createResolver({ timeoutMs: resolveTimeoutMs })
}

function policyOf({ allowHttp, allowed = '', blocked = '' }: Guard): AddressPolicy {
  return {
    allowHttp,
    allowed: parseAllowedReceivers(allowed),
    blocked: parseBlockedReceivers(blocked),
    ownHosts: hostileOwnHosts,
  }
}

function refusalOf(error: unknown): Saved {
  // The refusal itself: what is answered is for people.
  const reason = error instanceof Problem ? Object(error.cause).reason : undefined
  if (!(error instanceof Problem) || reason === undefined) throw error
  return { verdict: reason, detail: error.message }
}

/** A port of this network that leads to a Unix socket, which belongs to no network. */
async function bridge(stack: AsyncDisposableStack, path: string): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((inside) => {
    const outside = connect(path)
    for (const [from, to] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      sockets.add(from.on('error', () => undefined).on('close', () => to.destroy()))
      from.pipe(to)
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  stack.defer(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return portOf(server)
}

function portOf(server: Server): number {
  const address = server.address()
  // A server that listens on a port has such an address.
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}
