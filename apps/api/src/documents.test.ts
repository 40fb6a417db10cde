import { problems } from '@posthorn/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApi, type TestApi } from './testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

// biome-ignore lint/suspicious/noExplicitAny: a JSON document of any form
type Json = any

async function document(): Promise<Json> {
  return (await api.ask('GET', '/openapi.json', undefined, { as: null })).body
}

test('the OpenAPI document is 3.1, and every operation has a name, a summary, a tag and its refusals', async () => {
  const { openapi, paths, components } = await document()
  expect(openapi).toBe('3.1.1')
  const operations: [string, Json][] = Object.entries<Json>(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Json] => [`${method} ${path}`, operation]),
  )
  expect(operations.length).toBeGreaterThan(30)
  const names = operations.map(([, { operationId }]) => operationId)
  expect(new Set(names).size).toBe(names.length)
  for (const [name, operation] of operations) {
    expect([name, operation]).toEqual([
      name,
      expect.objectContaining({
        operationId: expect.stringMatching(/^[a-z][A-Za-z]+$/),
        summary: expect.any(String),
        tags: [expect.any(String)],
      }),
    ])
    for (const [status, response] of Object.entries<Json>(operation.responses)) {
      const isRefusal = status === 'default' || Number(status) >= 400
      if (!isRefusal) continue
      expect(response.content['application/problem+json'].schema).toEqual({ $ref: '#/components/schemas/Problem' })
    }
    const publicly = ['get /v1/subscriptions/{id}/public-keys', 'get /v1/meta']
    const isPublic = !name.includes('/v1/') || publicly.includes(name)
    if (isPublic) expect(operation.security).toEqual([])
    else expect(operation.responses).toHaveProperty('401')
  }
  expect(Object.keys(components.schemas)).toContain('Subscription')
})

test('every reference in the OpenAPI document leads somewhere', async () => {
  const whole = await document()
  const references = JSON.stringify(whole).match(/"\$ref":"[^"]+"/g) ?? []
  expect(references.length).toBeGreaterThan(50)
  for (const reference of new Set(references)) {
    const name = /^"\$ref":"#\/components\/schemas\/(\w+)"$/.exec(reference)?.[1] ?? reference
    expect(whole.components.schemas).toHaveProperty(name)
  }
})

test('no path tells of the routes that only serve the documents', async () => {
  expect(Object.keys((await document()).paths).filter((path) => !path.startsWith('/v1/'))).toEqual([
    '/healthz',
    '/readyz',
  ])
})

test('the reference at /docs loads nothing from elsewhere: no other host is named, and the policy forbids it', async () => {
  const { status, text, headers } = await api.ask('GET', '/docs/', undefined, { as: null })
  expect(status).toBe(200)
  expect(headers['content-type']).toBe('text/html; charset=utf-8')
  expect(text).not.toMatch(/https?:\/\//)
  expect(text.match(/(src|href)="[^"]*"/g)).toEqual(['src="js/scalar.js"'])
  const policy = String(headers['content-security-policy'])
  expect(policy).toContain("default-src 'none'")
  expect(
    policy.replaceAll(/'[^']*'|[a-z]+-src|base-uri|form-action|frame-ancestors|data:/g, '').replaceAll(/[; ]/g, ''),
  ).toBe('')
  const script = await api.ask('GET', '/docs/js/scalar.js', undefined, { as: null })
  expect([script.status, script.headers['content-type']]).toEqual([200, 'application/javascript; charset=utf-8'])
  expect((await api.ask('GET', '/docs', undefined, { as: null })).status).toBe(301)
})

test('the type of a problem leads to its explanation, in this installation', async () => {
  const { body } = await api.ask('GET', '/v1/nothing')
  const [path, anchor] = body.type.split('#')
  const page = await api.ask('GET', path, undefined, { as: null })
  expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
  expect(page.text).toContain(`id="${anchor}"`)
  for (const code of Object.keys(problems)) expect(page.text).toContain(`id="${code}"`)
})

test('links begin with the public URL where there is one', async () => {
  await using own = await startTestApi({ settings: { POSTHORN_PUBLIC_URL: 'https://hooks.test' } })
  expect((await own.ask('GET', '/v1/nothing')).body.type).toBe('https://hooks.test/docs/errors.md#route_not_found')
  const { headers } = await own.ask('GET', '/v1/tenants')
  expect(headers['link']).toBe('<https://hooks.test/v1/tenants>; rel="first"')
})
