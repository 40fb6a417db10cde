import { limits } from '@posthorn/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { listenLimits, messagesIn, printable, readListenWords } from './listen.mjs'

const api = ['--api', 'https://hooks.example.com/']
const subscription = 'sub_01kdy3c2g0fesmh0cdwq8tprqa'

test('where the calls of the API begin may be given for where it is', () => {
  for (const given of ['', '/', '/v1', '/v1/', '/base', '/base/v1']) {
    const options = readListenWords(['--api', `https://hooks.example.com${given}`, '3000'])
    expect(options).toMatchObject({ api: `https://hooks.example.com${given.startsWith('/base') ? '/base' : ''}` })
  }
})

function placeOf(...words: string[]): string {
  const options = readListenWords([...api, ...words])
  return options === 'help' ? 'help' : options.to.href
}

test('the words are the address of the API, a receiver that is an address or a port, and what else is wanted', () => {
  expect(readListenWords([...api, '--to', 'http://127.0.0.1:3000/webhooks'])).toEqual({
    api: 'https://hooks.example.com',
    to: new URL('http://127.0.0.1:3000/webhooks'),
    subscription: undefined,
    json: false,
    keyFromStdin: false,
  })
  expect(readListenWords(['3000', ...api, '--subscription', subscription, '--json', '--key-stdin'])).toMatchObject({
    subscription,
    json: true,
    keyFromStdin: true,
  })
  expect(placeOf('3000')).toBe('http://localhost:3000/')
  expect(placeOf('--to', ':3000/webhooks?a=b')).toBe('http://localhost:3000/webhooks?a=b')
  expect(placeOf('https://[::1]:3000')).toBe('https://[::1]:3000/')
  expect(readListenWords(['-h'])).toBe('help')
})

test('the key is sent over https, to loopback, or where somebody says so', () => {
  const apiOf = (url: string, ...words: string[]) => Object(readListenWords(['3000', '--api', url, ...words])).api
  for (const url of ['http://localhost:8080', 'http://127.1.2.3', 'http://[::1]:8080', 'http://api.localhost'])
    expect(apiOf(url)).toBe(url)
  for (const url of [
    'http://hooks.example.com',
    'http://127.0.0.1.example.com',
    'http://10.0.0.1',
    'http://0.0.0.0:80',
  ]) {
    expect(() => apiOf(url)).toThrow(/would send the key where others can read it; write https/)
    expect(apiOf(url, '--allow-http')).toBe(new URL(url).origin)
  }
  expect(apiOf('https://example.com/hooks//')).toBe('https://example.com/hooks')
})

test.each([
  [['3000'], '--api is missing: the address of the API of Posthorn'],
  [api, '--to is missing: the address of your local receiver'],
  [[...api, '3000', '4000'], 'there is one local receiver, and "4000" is another word'],
  [[...api, '--to', '3000', '4000'], 'there is one local receiver, and "4000" is another word'],
  [[...api, '--to', '70000'], 'there is no port 70000'],
  [
    [...api, '--to', 'file:///etc/passwd'],
    '--to wants an address such as http://127.0.0.1:3000, not "file:///etc/passwd"',
  ],
  [[...api, '--to', 'http://a:b@127.0.0.1'], '--to wants an address without a user name and a password'],
  [
    ['3000', '--api', 'hooks.example.com'],
    '--api wants an address such as https://hooks.example.com, not "hooks.example.com"',
  ],
  [['3000', '--api', 'https://a.example/?b'], '--api wants an address without ? and #, not "https://a.example/?b"'],
  [['3000', '--api', 'https://key@a.example'], '--api wants an address without a user name and a password'],
  [[...api, '3000', '--subscription', '../x'], '--subscription wants an id such as sub_…, not "../x"'],
  [[...api, '3000', '--nothing'], "Unknown option '--nothing'"],
] as [string[], string][])('%j is refused and says what is wrong', (words, message) => {
  expect(() => readListenWords(words)).toThrow(new Error(message))
})

test('a key on the command line is refused, and is not repeated', () => {
  for (const words of [['phk_abc'], ['--key', 'phs_abc'], ['--key=phk_abc'], ['--api', 'https://phk_abc@a.example']]) {
    expect(() => readListenWords(words)).toThrow(
      new Error('a key was given on the command line, where others can read it; set POSTHORN_API_KEY instead'),
    )
  }
})

async function messages(...chunks: Uint8Array[]) {
  async function* all() {
    yield* chunks
  }
  return await Array.fromAsync(messagesIn(all(), listenLimits.messageLengthMax))
}

test('a stream means the same wherever its bytes are cut', async () => {
  const bytes = Buffer.from(
    ': hello\n\nevent: attempt\r\ndata: {"a":\r\ndata:"Zoë 漢"}\r\nid: 1\r\n\r\nid: 2\nretry: 3\n\ndata\n\nevent: end\rdata: \r\revent: lost\n\ndata: x',
  )
  const meant = [
    { event: 'attempt', data: '{"a":\n"Zoë 漢"}', id: '1' },
    { event: '', data: '', id: '2' },
    { event: 'message', data: '', id: '' },
    { event: 'end', data: '', id: '' },
  ]
  expect(await messages(bytes)).toEqual(meant)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (places) => {
      const cuts = [0, ...places.toSorted((one, other) => one - other), bytes.length]
      const chunks = cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end))
      expect(await messages(...chunks)).toEqual(meant)
    }),
    { numRuns: 50 },
  )
})

test('what a terminal would obey is shown as a sign, and everything else as it is', () => {
  expect(printable('a\u001b[2Jb\nc\u202ed\u2028\ud800')).toBe('a\ufffd[2Jb\ufffdc\ufffdd\ufffd\ufffd')
  expect(printable('Zoë 漢 😀 → «»')).toBe('Zoë 漢 😀 → «»')
})

test('its limits have room for what the API tells, and for the slowest receiver', () => {
  expect(listenLimits.localMs).toBe(limits.timeoutMsMax)
  expect(listenLimits.seenMax).toBeGreaterThan(limits.streamResumeMessagesMax)
  // Data is JSON, so that as a text in JSON each of its bytes is two at the most.
  expect(listenLimits.answerBytesMax).toBeGreaterThan(4 * limits.eventDataBytesMax)
})
