/**
 * Posthorn as an operator runs it, for a test of what its users do: `posthorn serve` over a database of its own, asked
 * through the SDK over real connections, delivering to a real receiver. Calls are counted as they leave.
 */
import { createLogger, type Occurrence, parseSettings } from '@posthorn/engine'
import { createTestDatabase, testMasterKeyText } from '@posthorn/engine/testing'
import { createPosthorn, type Posthorn, type PosthornOptions } from '@posthorn/sdk'
import { serveSettings } from 'posthorn/config'
import { type Answer, type ReceivedRequest, type Receiver, startReceiver } from 'posthorn/receiver'
import { startServing } from 'posthorn/serve'
import { world } from '../flows/posthorn.ts'
import { createSignals } from '../flows/signals.ts'

export type Served = AsyncDisposable & {
  readonly origin: string
  /** Of the database. */
  readonly url: string
  readonly adminKey: string
  /** The SDK with the key of the role admin. */
  readonly posthorn: Posthorn
  readonly receiver: Receiver
  /** What the server told, oldest first. */
  readonly told: readonly Occurrence[]
  /** The SDK with another key. */
  as(apiKey: string, options?: Partial<PosthornOptions>): Posthorn
  /** Every request that the SDK has made, as `POST /v1/events`. */
  readonly calls: readonly string[]
  /** What `work` answers, and the requests that it took. */
  counted<T>(work: () => Promise<T>): Promise<{ result: T; calls: readonly string[] }>
  /** Resolves with what `look` finds, now or after something was told or received. */
  until<T>(look: () => T | undefined | false): Promise<T>
  /** Resolves with what `ask` finds, now or when it is asked again after something was told or received. */
  eventually<T>(ask: () => Promise<T | undefined | false>): Promise<T>
}

export type ServedOptions = {
  answer?: (request: ReceivedRequest) => Answer | Promise<Answer>
  /** As in the environment of the process. */
  settings?: Record<string, string>
}

const adminKey = `phk_${'0123456789abcdefghijklmnopqrstuvwxyz'.slice(0, 33)}`

export async function startServed(options: ServedOptions = {}): Promise<Served> {
  await using stack = new AsyncDisposableStack()
  const { notify, until } = createSignals()
  const database = stack.use(await createTestDatabase())
  const { answer = (): Answer => ({ status: 204 }) } = options
  const receiver = stack.use(
    await startReceiver({
      answer(request) {
        notify()
        return answer(request)
      },
    }),
  )
  const told: Occurrence[] = []
  const settings = parseSettings(serveSettings, {
    DATABASE_URL: database.url,
    POSTHORN_MASTER_KEY: testMasterKeyText,
    POSTHORN_ADMIN_KEY: adminKey,
    POSTHORN_ALLOW_HTTP: 'true',
    POSTHORN_ALLOWED_RECEIVERS: `127.0.0.1:${receiver.port}`,
    POSTHORN_CREATE_EVENT_TYPES: 'true',
    POSTHORN_DATABASE_CONNECTIONS: '4',
    PORT: '0',
    ...options.settings,
  })
  const { DATABASE_URL = database.url, POSTHORN_MASTER_KEY = [] } = settings
  const serving = await startServing({
    role: 'all',
    settings: { ...settings, DATABASE_URL, POSTHORN_MASTER_KEY },
    world,
    logger: createLogger('silent', { write: () => undefined }),
    telemetry(occurrence) {
      told.push(occurrence)
      notify()
    },
  })
  stack.defer(() => serving.stop())
  const { origin } = serving
  if (origin === undefined) throw new Error('the API does not listen')

  const calls: string[] = []
  const as: Served['as'] = (apiKey, given = {}) =>
    createPosthorn({
      url: origin,
      apiKey,
      fetch(url, init) {
        calls.push(`${init.method} ${new URL(url).pathname}`)
        return fetch(url, init)
      },
      ...given,
    })
  const parts = stack.move()
  return {
    origin,
    url: database.url,
    adminKey,
    posthorn: as(adminKey),
    receiver,
    told,
    as,
    calls,
    async counted(work) {
      const before = calls.length
      const result = await work()
      return { result, calls: calls.slice(before) }
    },
    until,
    async eventually(ask) {
      for (;;) {
        const before = told.length + receiver.requests.length
        const found = await ask()
        if (found !== undefined && found !== false) return found
        await until(() => told.length + receiver.requests.length > before)
      }
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}
