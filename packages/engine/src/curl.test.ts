import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { curlCommand } from './curl.ts'

/** In place of curl: what a shell has made of the command, its arguments and its input. */
const folder = mkdtempSync(join(tmpdir(), 'posthorn-types-curl-'))
writeFileSync(join(folder, 'curl'), '#!/bin/sh\nfor one in "$@"; do printf \'%s\\0\' "$one"; done\ncat\n', {
  mode: 0o755,
})

function run(command: string): { words: string[]; body: string } {
  const out = execFileSync('/bin/sh', ['-c', command], { env: { PATH: `${folder}:/usr/bin:/bin`, HOME: folder } })
  const words = out.toString('utf8').split('\0')
  return { words: words.slice(0, -1), body: words.at(-1) ?? '' }
}

test.each([
  `it's "quoted" $(touch /tmp/x) \`id\` \\ %s %% ! ~ * ? #`,
  '@/etc/passwd',
  '-x',
  'two\nlines\n',
  'Zoë 漢 😀',
  '\u001b[2J\u0007\r',
  '\u202egnp.exe',
  '',
  "''''",
  'x'.repeat(70_000),
])('a shell gives curl exactly the body %j', (body) => {
  const command = curlCommand({ url: 'https://a.example/', headers: {}, body })
  expect(run(command).body).toBe(body)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
  expect(command).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202e]/)
})

test('a shell gives curl the URL and each header as one word', () => {
  const headers = { 'x-a': `'; rm -rf "$HOME" #`, 'x-empty': '', 'content-length': '5' }
  const { words } = run(curlCommand({ url: `https://a.example/?q='$(id)'&[1-2]{a,b}`, headers, body: 'hello' }))
  expect(words).toEqual([
    '--globoff', '--request', 'POST', '--url', `https://a.example/?q='$(id)'&[1-2]{a,b}`,
    '--header', `x-a: '; rm -rf "$HOME" #`, '--header', 'x-empty;', '--header', 'accept:', '--header', 'expect:',
    '--data-binary', '@-',
  ]) // biome-ignore format: words as they come
})

test('whatever the body is, it arrives', () => {
  const bodies = fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => !text.includes('\0'))
  fc.assert(
    fc.property(bodies, (body) => {
      expect(run(curlCommand({ url: 'https://a.example/', headers: {}, body })).body).toBe(body)
    }),
    { numRuns: 60 },
  )
})
