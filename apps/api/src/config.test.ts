import { fileURLToPath } from 'node:url'
import { ConfigurationError, parseSettings } from '@posthorn/engine'
import { expect, test } from 'vitest'
import { apiSettings } from './config.ts'

test('without an environment the API listens on this machine only, creates no event types, and limits customers', () => {
  expect(parseSettings(apiSettings, {})).toEqual({
    HOST: '127.0.0.1',
    PORT: 4400,
    POSTHORN_PUBLIC_URL: undefined,
    POSTHORN_CORS_ORIGINS: [],
    POSTHORN_CREATE_EVENT_TYPES: false,
    POSTHORN_CREATE_TENANTS: false,
    POSTHORN_EGRESS_IPS: [],
    POSTHORN_EVENT_DOCS: true,
    POSTHORN_EVENT_DOCS_BRANDING: undefined,
    POSTHORN_REQUESTS_PER_MINUTE: 0,
    POSTHORN_TENANT_REQUESTS_PER_MINUTE: 1_200,
    POSTHORN_STRANGER_REQUESTS_PER_MINUTE: 120,
    POSTHORN_ADMIN_KEY: undefined,
  })
})

test('a public URL is kept as an origin', () => {
  const settings = parseSettings(apiSettings, { POSTHORN_PUBLIC_URL: 'https://Hooks.Example.com/' })
  expect(settings.POSTHORN_PUBLIC_URL).toBe('https://hooks.example.com')
})

test('origins of pages are kept as a browser writes them, each once', () => {
  const given = ' https://App.example.com/ ,http://localhost:3000,, https://app.example.com:443'
  expect(parseSettings(apiSettings, { POSTHORN_CORS_ORIGINS: given }).POSTHORN_CORS_ORIGINS).toEqual([
    'https://app.example.com',
    'http://localhost:3000',
  ])
})

test.each([
  ['PORT', '65536'],
  ['POSTHORN_PUBLIC_URL', 'hooks.example.com'],
  ['POSTHORN_PUBLIC_URL', 'ftp://hooks.example.com'],
  ['POSTHORN_PUBLIC_URL', 'https://hooks.example.com/posthorn'],
  ['POSTHORN_CORS_ORIGINS', '*'],
  ['POSTHORN_CORS_ORIGINS', 'https://app.example.com,null'],
  ['POSTHORN_CORS_ORIGINS', 'https://app.example.com/console'],
  ['POSTHORN_CREATE_EVENT_TYPES', 'ture'],
  ['POSTHORN_CREATE_TENANTS', '1'],
  ['POSTHORN_ADMIN_KEY', 'secret-CANARY'],
])('%s=%s stops the start, and a secret is not repeated', (variable, value) => {
  const parse = () => parseSettings(apiSettings, { [variable]: value })
  expect(parse).toThrow(ConfigurationError)
  expect(parse).toThrow(new RegExp(`^${variable}: `))
  if (variable === 'POSTHORN_ADMIN_KEY') expect(parse).not.toThrow(/CANARY/)
})

test.each([
  ['/nowhere/branding.json', 'names a file that cannot be read'],
  [fileURLToPath(new URL('../package.json', import.meta.url)), 'which cannot be used: '],
])('a branding that cannot be used is told at start: %s', (file, said) => {
  expect(() => parseSettings(apiSettings, { POSTHORN_EVENT_DOCS_BRANDING: file })).toThrow(said)
})
