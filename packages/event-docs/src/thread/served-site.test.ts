import { monitorEventLoopDelay } from 'node:perf_hooks'
import { expect, test } from 'vitest'
import { createDocumentation } from '../documentation.ts'
import { openSite } from '../site.ts'
import { manyEventTypes } from '../testing/many-event-types.ts'
import type { SiteGiven } from './protocol.ts'
import { SiteUnavailable, serveSite } from './served-site.ts'

const given: SiteGiven = {
  source: manyEventTypes(3),
  branding: { name: 'Acme' },
  baseUrl: 'https://docs.acme.example/webhooks',
}

test('a file that a thread has made is the one that is made without it', async () => {
  const served = serveSite(given)
  await using site = openSite(createDocumentation(given))
  const paths = ['index.html', 'events/order.paid.md', 'schemas/index.json', 'types/typescript.tgz', 'assets/style.css']
  const [example = ''] = [...site.files.keys()].filter((path) => path.startsWith('examples/'))
  for (const path of [...paths, example]) {
    const [one, other] = [await served.file(path), await site.files.get(path)?.()]
    expect({ ...one, body: Buffer.from(one?.body ?? '') }).toEqual({ ...other, body: Buffer.from(other?.body ?? '') })
  }
  for (const path of ['nothing.html', 'examples/order.paid/nothing.json', 'examples//', '__proto__'])
    expect(await served.file(path)).toBeUndefined()
  await served.end(0)
})

test('who asks for everything at once goes on with its own work meanwhile', async () => {
  const served = serveSite({ ...given, source: manyEventTypes(100) })
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const beginMs = performance.now()
  delay.enable()
  const paths = ['openapi.json', 'asyncapi.yaml', 'llms-full.txt', 'schemas/index.json', 'search.js']
  const files = await Promise.all(paths.map((path) => served.file(path)))
  delay.disable()
  expect(files.filter((file) => file === undefined)).toEqual([])
  // In the thread that asks it would be one piece of work. A machine that is busy makes both longer.
  expect(delay.max / 1e6).toBeLessThan((performance.now() - beginMs) / 3)
  await served.end(0)
})

test('a thread that needs too much memory dies alone, and another one takes its place after a while', async () => {
  const served = serveSite(given, { memoryMib: 8, restMs: 100 })
  await expect(served.file('index.html')).rejects.toThrow(SiteUnavailable)
  await expect(served.file('index.html')).rejects.toThrow('has just died')
  await expect.poll(() => served.file('index.html').catch((error: Error) => error.message)).toMatch(/was not made/)
  await served.end(0)
})

test('what nobody asks for any more keeps no thread, and comes back when it is asked for', async () => {
  const served = serveSite(given, { idleMs: 1 })
  const first = await served.file('index.html')
  await expect.poll(async () => served.file('index.html')).toEqual(first)
  await served.end(0)
  await expect(served.file('index.html')).rejects.toThrow(SiteUnavailable)
})

test('a site that is ended makes what was asked for, and no more than there is time for', async () => {
  const served = serveSite(given)
  const asked = served.file('index.html')
  const ended = served.end(60_000)
  await expect(served.file('events.html')).rejects.toThrow(SiteUnavailable)
  expect((await asked)?.contentType).toContain('text/html')
  await ended
  const hurried = serveSite(given)
  const late = hurried.file('index.html')
  await Promise.all([expect(late).rejects.toThrow('is made anew'), hurried.end(0)])
})
