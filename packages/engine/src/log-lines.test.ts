import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createLogLines } from './log-lines.ts'

test('lines of a log that come together are written together, in their order, and none twice', async () => {
  const written: string[] = []
  const lines = createLogLines({ write: (text) => written.push(text) })
  lines.write('one\n')
  lines.write('two\n')
  expect(written).toEqual([])
  await turn()
  lines.write('three\n')
  await turn()
  expect(written).toEqual(['one\ntwo\n', 'three\n'])
})

test('what waits is written at once before a process ends', async () => {
  const written: string[] = []
  const lines = createLogLines({ write: (text) => written.push(text) })
  lines.write('the last words\n')
  lines.flush()
  expect(written).toEqual(['the last words\n'])
  await turn()
  expect(written).toEqual(['the last words\n'])
})
