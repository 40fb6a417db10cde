import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runToEnd } from './children.ts'
import { getOnce, whyNotGot } from './getting.ts'

const ended = { exitCode: 0, isOverdue: false, output: '' }
const entry = { id: 'python-flask', install: 'pip install flask' }
let cache: string

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'posthorn-getting-'))
})
afterEach(() => rm(cache, { recursive: true, force: true }))

async function makeFile(place: string) {
  await writeFile(join(place, 'got'), 'all of it')
  return ended
}

test('what a sample needs is got once, and found by every run after that', async () => {
  const first = await getOnce({ cache, entry, salt: '' }, makeFile)
  const second = await getOnce({ cache, entry, salt: '' }, () => expect.fail('it is here'))
  expect(second).toEqual(first)
  if (first.isHere) expect(await readFile(join(first.folder, 'got'), 'utf8')).toBe('all of it')
  expect(first.isHere).toBe(true)
})

test('another command, or another version of what it needs, is got anew', async () => {
  const changed = { ...entry, install: 'pip install flask standardwebhooks' }
  const got = [
    await getOnce({ cache, entry, salt: '' }, makeFile),
    await getOnce({ cache, entry, salt: '3.12' }, makeFile),
    await getOnce({ cache, entry: changed, salt: '' }, makeFile),
  ]
  expect(new Set(got.map((one) => one.isHere && one.folder)).size).toBe(3)
})

test('what was got in part is not kept', async () => {
  const got = await getOnce({ cache, entry, salt: '' }, async (place) => {
    await makeFile(place)
    return { exitCode: 1, isOverdue: false, output: 'resolving\nERROR: no network\n' }
  })
  expect(got).toEqual({ isHere: false, why: '"pip install flask" failed: ERROR: no network' })
  expect(await readdir(cache)).toEqual([])
})

test('two runs that get the same at the same time end with one of it', async () => {
  const got = await Promise.all([1, 2].map(() => getOnce({ cache, entry, salt: '' }, makeFile)))
  expect(got[0]).toEqual(got[1])
  expect(await readdir(cache)).toHaveLength(1)
})

test('a command that takes too long is ended with everything that it started', async () => {
  // It is not over before nobody has its output open any more, so what it started is ended too.
  const overdue = await runToEnd(['sh', '-c', 'sleep 600 & wait'], { env, timeoutMs: 200 })
  expect(overdue).toEqual({ isOverdue: true, exitCode: undefined, output: '' })
  expect(whyNotGot(entry, overdue)).toBe('"pip install flask" took too long')
})
