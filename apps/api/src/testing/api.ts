/**
 * The API as production builds it, over a database of its own, with a key of each role.
 */
import { randomBytes } from 'node:crypto'
import type { ApiKeyRole } from '@posthorn/contract'
import {
  createApiKey,
  createPublisher,
  createResolver,
  createSchemaCheck,
  createTransforms,
  type Database,
  openDatabase,
  openJobs,
  parseAllowedReceivers,
  type World,
} from '@posthorn/engine'
import { createTestDatabase, testSeal } from '@posthorn/engine/testing'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { type ApiParts, buildApi } from '../app.ts'

export const world: World = { now: () => Date.now(), randomBytes: (count) => randomBytes(count) }

/** An address that needs no look-up and is allowed to be called. */
export const callbackUrl = 'https://93.184.215.14/hooks'

export type Answer = {
  status: number
  headers: Readonly<Record<string, unknown>>
  /** The body as it came. */
  text: string
  /** The body, parsed; undefined when there was none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many forms
  body: any
}

export type AskOptions = {
  /** The key to ask with: a role's, or any text; null for none. Admin's when left out. */
  as?: ApiKeyRole | string | null
  headers?: Record<string, string>
  /** Sent as it is; everything else is sent as JSON. */
  text?: string
}

export type TestApi = AsyncDisposable & {
  app: FastifyInstance
  db: Database
  url: string
  keys: Readonly<Record<ApiKeyRole, string>>
  /** Shards that somebody was told about. */
  worked: number[]
  ask(method: string, path: string, body?: unknown, options?: AskOptions): Promise<Answer>
}

/** The tenants `acme` (which the key of the role tenant belongs to) and `globex` exist, and the type `invoice.paid`. */
export async function startTestApi(given: Partial<ApiParts> & { createEventTypes?: boolean } = {}): Promise<TestApi> {
  const stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const db = stack.use(openDatabase({ url: database.url, poolSize: 4 }))
  const jobs = stack.use(await openJobs({ url: database.url, mode: 'send', onError: () => undefined }))
  const worked: number[] = []
  const transforms = createTransforms()
  stack.defer(() => transforms.close())
  const publisher = createPublisher({
    db,
    world,
    checkSchema: createSchemaCheck({ db }),
    createEventTypes: given.createEventTypes ?? false,
    onWork: (shards) => worked.push(...shards),
  })
  const app = stack.use(
    await buildApi({
      db,
      world,
      jobs,
      seal: testSeal,
      publisher,
      transforms,
      onWork: (shards) => worked.push(...shards),
      policy: { allowHttp: false, allowed: parseAllowedReceivers('127.0.0.1:9') },
      // Nobody listens there, so every name is unresolvable.
      resolve: createResolver({ timeoutMs: 1_000, servers: ['127.0.0.1:9'] }),
      logger: false,
      settings: {},
      ...given,
    }),
  )
  await db.prisma.tenant.createMany({ data: [{ id: 'acme' }, { id: 'globex' }] })
  await db.prisma.eventType.create({ data: { name: 'invoice.paid' } })
  const keyOf = async (role: ApiKeyRole) => {
    const draft = { name: role, role, tenantId: role === 'tenant' ? 'acme' : null, expiresAt: null }
    return (await createApiKey({ db, world }, draft)).key
  }
  const keys = {
    admin: await keyOf('admin'),
    publisher: await keyOf('publisher'),
    support: await keyOf('support'),
    viewer: await keyOf('viewer'),
    tenant: await keyOf('tenant'),
  }
  return {
    app,
    db,
    url: database.url,
    keys,
    worked,
    ask: (method, path, body, options = {}) => ask(app, keys, { method, path, body }, options),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function ask(
  app: FastifyInstance,
  keys: Readonly<Record<string, string>>,
  { method, path, body }: { method: string; path: string; body: unknown },
  { as = 'admin', headers = {}, text }: AskOptions,
): Promise<Answer> {
  const payload = text ?? (body === undefined ? undefined : JSON.stringify(body))
  const response = await app.inject({
    // `inject` types the methods that Fastify knows; tests ask with others too.
    method: method as NonNullable<InjectOptions['method']>,
    url: path,
    headers: {
      ...(as === null ? {} : { authorization: `Bearer ${keys[as] ?? as}` }),
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(payload === undefined ? {} : { payload }),
  })
  const isJson = String(response.headers['content-type'] ?? '').includes('json')
  return {
    status: response.statusCode,
    headers: response.headers,
    text: response.body,
    body: isJson && response.body !== '' ? JSON.parse(response.body) : undefined,
  }
}
