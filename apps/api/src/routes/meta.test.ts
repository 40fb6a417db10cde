import { limits } from '@posthorn/contract'
import { version } from '@posthorn/engine'
import { expect, test } from 'vitest'
import { startTestApi } from '../testing/api.ts'

test('everybody is told the version, where requests come from, and the limits, without a key', async () => {
  await using api = await startTestApi({ settings: { POSTHORN_EGRESS_IPS: ['203.0.113.7', '2001:db8::/48'] } })
  const { status, body, headers } = await api.ask('GET', '/v1/meta', undefined, { as: null })
  expect([status, headers['cache-control']]).toEqual([200, 'public, max-age=300'])
  expect(body).toMatchObject({
    version,
    egress_addresses: ['203.0.113.7', '2001:db8::/48'],
    signature: { headers: { id: 'webhook-id' }, schemes: ['v1a', 'v1'], tolerance_seconds: 300 },
    delivery: { timeout_ms: 15_000, disabled_after_hours: 120 },
    limits: { event_data_bytes_max: limits.eventDataBytesMax, batch_events_max: 1000 },
  })
  expect(body.delivery.retry_schedule_seconds).toHaveLength(9)
  expect(Object.keys(body.limits)).toHaveLength(Object.keys(limits).length)
})
