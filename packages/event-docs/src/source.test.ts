import { expect, test } from 'vitest'
import { DocsSourceError, readSource, sourceFormat } from './source.ts'

const eventType = (name: string) => ({
  event_type: {
    name,
    description: null,
    group: null,
    status: 'active',
    validation: 'off',
    key_pointers: {},
    latest_version: 1,
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: '2026-01-01T00:00:00.000Z',
  },
  versions: [
    {
      event_type: name,
      version: 1,
      schema: { type: 'object' },
      examples: [{}],
      comparison: { compared_with: null, verdict: 'safe', changes: [], truncated: false },
      created_at: '2026-01-01T00:00:00.000Z',
    },
  ],
})

const meta = {
  version: '0.1.0',
  egress_addresses: ['203.0.113.7'],
  event_docs_url: null,
  signature: {
    standard: 'https://www.standardwebhooks.com',
    headers: { id: 'webhook-id', timestamp: 'webhook-timestamp', signature: 'webhook-signature' },
    schemes: ['v1'],
    tolerance_seconds: 300,
  },
  delivery: {
    method: 'POST',
    retry_schedule_seconds: [5, 300],
    timeout_ms: 15_000,
    disabled_after_hours: 120,
    payload_formats: ['standard'],
  },
  limits: { url_length_max: 2048 },
}

function sourceOf(...names: string[]) {
  return { format: sourceFormat, meta, event_types: names.map(eventType) }
}

function faultsOf(value: unknown): DocsSourceError['faults'] {
  try {
    readSource(value)
  } catch (error) {
    if (error instanceof DocsSourceError) return error.faults
    throw error
  }
  throw new Error('the source was accepted')
}

test('an exported source is read as it is', () => {
  expect(readSource(sourceOf('invoice.paid', 'invoice.voided'))).toEqual(sourceOf('invoice.paid', 'invoice.voided'))
})

test('what has not the form of a source is refused, with the place of each fault', () => {
  expect(faultsOf('nothing')).toEqual([{ pointer: '', detail: 'must be object' }])
  expect(faultsOf({ ...sourceOf(), format: 'posthorn-event-docs/0' })).toEqual([
    { pointer: '/format', detail: `must be ${JSON.stringify(sourceFormat)}` },
  ])
  const [first] = sourceOf('invoice.paid').event_types
  const wrong = { ...sourceOf(), event_types: [{ ...first, versions: [{ version: 0 }] }] }
  expect(faultsOf(wrong).map(({ pointer }) => pointer)).toContain('/event_types/0/versions/0/version')
})

test('two event types that differ only in case are an error with both names', () => {
  expect(faultsOf(sourceOf('invoice.paid', 'order.paid', 'Invoice.Paid'))).toEqual([
    {
      pointer: '/event_types/2/event_type/name',
      detail: '"invoice.paid" and "Invoice.Paid" differ only in upper and lower case; rename one',
    },
  ])
})
