import { expect, test } from 'vitest'
import { parseSource } from './source.ts'

test('every form of import is seen, with its line and whether it is only a type', () => {
  const { imports } = parseSource(
    'a.ts',
    `import 'one'
import two, { a } from 'two'
import type { B } from 'three'
export { c } from './four.ts'
export type * from './five.ts'
const six = await import('six')
type Seven = import('seven').Seven`,
  )
  expect(imports).toEqual([
    { specifier: 'one', isType: false, line: 1 },
    { specifier: 'two', isType: false, line: 2 },
    { specifier: 'three', isType: true, line: 3 },
    { specifier: './four.ts', isType: false, line: 4 },
    { specifier: './five.ts', isType: true, line: 5 },
    { specifier: 'six', isType: false, line: 6 },
    { specifier: 'seven', isType: true, line: 7 },
  ])
})

test('a comment is told from what merely looks like one', () => {
  const { comments } = parseSource(
    'a.ts',
    `const url = 'https://one.example' // first
const pattern = /[/*]\\/\\//.test(\`\${url /* second */} // no */\`)
/* third
   goes on */ const four = 8 / 2 / 1 //`,
  )
  expect(comments).toEqual([
    { value: ' first', line: 1 },
    { value: ' second ', line: 2 },
    { value: ' third\n   goes on ', line: 3 },
    { value: '', line: 4 },
  ])
})

test('characters outside of the basic plane do not shift lines', () => {
  expect(parseSource('a.ts', `const a = '漢😀'\n// b\nconst c = 'd'`)).toMatchObject({
    texts: [{ value: '漢😀' }, { value: 'd', line: 3 }],
    comments: [{ value: ' b', line: 2 }],
  })
})

test('a template is one text', () => {
  expect(parseSource('a.ts', `const a = \`select \${b} from \${c}\``).texts).toEqual([
    { value: 'select \0 from \0', line: 1 },
  ])
})

test('React sources can be read', () => {
  expect(parseSource('a.tsx', 'const a = <p title="b">// c {/* d */}</p>').comments).toEqual([
    { value: ' d ', line: 1 },
  ])
})

test('what is no TypeScript is refused with its path', () => {
  expect(() => parseSource('broken.ts', 'const = 1')).toThrow(/Parse failed/)
})
