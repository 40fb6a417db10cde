import { expect, test } from 'vitest'
import { createLogLines } from './log-lines.ts'

function started() {
  const written: string[] = []
  const turns: (() => void)[] = []
  const lines = createLogLines({ write: (text) => written.push(text) }, (flush) => turns.push(flush))
  return { lines, written, endTurn: () => runAll(turns.splice(0)) }
}

test('lines of a log that come together are written together, in their order, and none twice', () => {
  const { lines, written, endTurn } = started()
  lines.write('one\n')
  lines.write('two\n')
  expect(written).toEqual([])
  endTurn()
  lines.write('three\n')
  endTurn()
  endTurn()
  expect(written).toEqual(['one\ntwo\n', 'three\n'])
})

test('what waits is written at once before a process ends', () => {
  const { lines, written, endTurn } = started()
  lines.write('the last words\n')
  lines.flush()
  expect(written).toEqual(['the last words\n'])
  endTurn()
  expect(written).toEqual(['the last words\n'])
})

function runAll(flushes: (() => void)[]): void {
  for (const flush of flushes) flush()
}
