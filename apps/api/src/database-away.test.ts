import { createPublisher, createSchemaCheck, createTransforms, type Jobs, openDatabase } from '@posthorn/engine'
import { testSeal } from '@posthorn/engine/testing'
import { expect, test } from 'vitest'
import { buildApi } from './app.ts'
import { world } from './testing/api.ts'

/** Nobody listens on the discard port here. */
const nowhere = 'postgres://nobody@127.0.0.1:9/none'
const authorization = `Bearer phk_${'a'.repeat(33)}`

async function apiWithoutDatabase() {
  const stack = new AsyncDisposableStack()
  const db = stack.use(openDatabase({ url: nowhere, poolSize: 2 }))
  const app = stack.use(
    await buildApi({
      db,
      world,
      // Nothing gets as far as a job.
      jobs: { send: () => Promise.reject(new Error('not reached')) } as unknown as Jobs,
      seal: testSeal,
      transforms: createTransforms(),
      publisher: createPublisher({
        db,
        world,
        checkSchema: createSchemaCheck({ db }),
        createEventTypes: false,
        onWork: () => undefined,
      }),
      onWork: () => undefined,
      policy: { allowHttp: false, allowed: [] },
      resolve: async () => [],
      logger: false,
      settings: {},
    }),
  )
  return { app, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test('503 with Retry-After when the database is away, and never a 2xx for what was not stored', async () => {
  await using api = await apiWithoutDatabase()
  for (const [method, url] of [
    ['GET', '/v1/tenants'],
    ['PUT', '/v1/tenants/acme'],
    ['POST', '/v1/events'],
    ['POST', '/v1/events/batch'],
    ['GET', '/v1/deliveries'],
  ] as const) {
    const response = await api.app.inject({ method, url, headers: { authorization }, payload: {} })
    expect([url, response.statusCode, response.json().code]).toEqual([url, 503, 'database_unavailable'])
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0)
    expect(response.body).not.toMatch(/127\.0\.0\.1|ECONNREFUSED|none/)
  }
})

test('alive without a database, but not ready: 503 says which check failed and not why', async () => {
  await using api = await apiWithoutDatabase()
  expect((await api.app.inject('/healthz')).json()).toEqual({ status: 'ok' })
  const ready = await api.app.inject('/readyz')
  expect(ready.statusCode).toBe(503)
  expect(ready.headers['content-type']).toBe('application/problem+json; charset=utf-8')
  expect(ready.json()).toMatchObject({
    code: 'not_ready',
    status: 503,
    ready: false,
    request_id: ready.headers['x-request-id'],
  })
  expect(ready.json().checks.map(({ name, ok }: { name: string; ok: boolean }) => [name, ok])).toEqual([
    ['database', false],
    ['migrations', false],
    ['partitions', false],
    ['queue', false],
    ['dispatcher', false],
  ])
  expect(ready.body).not.toMatch(/127\.0\.0\.1|ECONNREFUSED/)
})
