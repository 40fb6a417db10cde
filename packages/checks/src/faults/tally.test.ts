import { randomBytes } from 'node:crypto'
import { generateSecret, parseSecret, signedHeaders } from '@posthorn/signing'
import { expect, test } from 'vitest'
import { startTally } from './tally.ts'

const secret = generateSecret((size) => randomBytes(size))

async function post(port: number, id: string, body: string, path = '/a'): Promise<number> {
  const timestamp = Math.floor(Date.now() / 1000)
  const headers = signedHeaders({ id, timestamp, body }, [parseSecret(secret)])
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers: { ...headers }, body })
  return response.status
}

test('an event that comes again is counted, and is wrong when its id, body or path is another', async () => {
  await using tally = await startTally()
  for (const path of ['/a', '/b']) tally.trust(path, secret)
  expect(await post(tally.port, 'evt_1', '{"data":{"number":1}}')).toBe(204)
  await post(tally.port, 'evt_1', '{"data":{"number":1}}')
  expect(tally.arrivals.get(1)).toMatchObject({ times: 2, path: '/a' })
  expect([tally.requests, tally.repeats, tally.wrong.length]).toEqual([2, 1, 0])
  await post(tally.port, 'evt_2', '{"data":{"number":1}}')
  await post(tally.port, 'evt_1', '{"data": {"number":1}}')
  await post(tally.port, 'evt_1', '{"data":{"number":1}}', '/b')
  expect(tally.wrong).toEqual(Array.from({ length: 3 }, () => 'event 1 came again with another id, path or body'))
})

test('a request that is not signed by its subscription, or comes where nothing is expected, is wrong', async () => {
  await using tally = await startTally()
  tally.trust(
    '/a',
    generateSecret((size) => randomBytes(size)),
  )
  await post(tally.port, 'evt_1', '{"data":{"number":1}}')
  await post(tally.port, 'evt_2', '{"data":{"number":2}}', '/b')
  await post(tally.port, 'evt_3', '{}')
  expect(tally.wrong).toEqual([
    expect.stringContaining('event 1: '),
    'event 2: came to /b, where nothing is expected',
    'evt_3 has no number',
  ])
})
