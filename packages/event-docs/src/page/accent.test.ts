import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { contrast, contrastMin, contrastOn, darkPages, lightened, lightPages } from './accent.ts'

test('black on white is as far apart as colors can be, and a color from itself not at all', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21)
  expect(contrast('#4f46e5', '#4f46e5')).toBe(1)
  expect(contrast('#767676', '#ffffff')).toBeCloseTo(4.54, 2)
})

test.each([['#0f766e'], ['#000000'], ['#1e3a8a'], ['#7f1d1d']])('%s is made light enough for a dark page', (color) => {
  expect(contrastOn(darkPages, color)).toBeLessThan(contrastMin)
  expect(contrastOn(darkPages, lightened(color))).toBeGreaterThanOrEqual(contrastMin)
})

test('a color that can be read on a dark page stays as it is', () => {
  expect(lightened('#5eead4')).toBe('#5eead4')
})

test('the pages that colors are judged on are those of the style', () => {
  const style = readFileSync(new URL('../../assets/style.css', import.meta.url), 'utf8')
  const valuesOf = (name: string) =>
    [...style.matchAll(new RegExp(`--${name}: (#\\w+)`, 'g'))].map(([, color]) => color)
  expect(valuesOf('page').slice(0, 2)).toEqual([lightPages[0], darkPages[0]])
  expect(valuesOf('raised').slice(0, 2)).toEqual([lightPages[1], darkPages[1]])
})
