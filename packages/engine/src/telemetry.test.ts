import { expect, test } from 'vitest'
import { DatabaseUnavailable } from './db/unavailable.ts'
import { createLogger, logTo } from './telemetry.ts'

function logged(write: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const lines: string[] = []
  write(createLogger('trace', { write: (line) => lines.push(line) }))
  return lines.map((line) => JSON.parse(line))
}

test('an error is logged with its code and its causes, and without what else hangs on it', () => {
  const error = Object.assign(new Error('away', { cause: new RangeError('why') }), {
    code: '57P01',
    client: { password: 'CANARY', parsedStatements: 'CANARY' },
  })
  const [line] = logged((logger) => logger.warn({ err: error }, 'trouble'))
  expect(line).toMatchObject({
    msg: 'trouble',
    err: { name: 'Error', code: '57P01', message: 'away', cause: { name: 'RangeError', message: 'why' } },
  })
  expect(JSON.stringify(line)).not.toContain('CANARY')
})

test('a database that did not answer once is no warning; when it stays away, or anything else fails, it is', () => {
  const away = new DatabaseUnavailable(new Error('timeout'))
  const failed = (error: unknown, times: number) => ({ what: 'round_failed', round: 'wake', error, times }) as const
  const lines = logged((logger) => {
    const telemetry = logTo(logger)
    for (const one of [failed(away, 1), failed(away, 2), failed(new Error('bug'), 1)]) telemetry(one)
  })
  expect(lines.map(({ level }) => level)).toEqual([30, 40, 40])
})

test.each(['authorization', 'cookie', 'secret', 'key', 'webhook-signature', 'password'])(
  'a field %s never reaches the log, at the top or inside',
  (field) => {
    const lines = logged((logger) => {
      logger.info({ [field]: 'CANARY' })
      logger.info({ request: { [field]: 'CANARY' } })
      logger.info({ request: { headers: { [field]: 'CANARY' } } })
    })
    expect(lines).toHaveLength(3)
    expect(JSON.stringify(lines)).not.toContain('CANARY')
  },
)

test('case 96: a log line is printable, whatever a text in it contains, and says the same', () => {
  const text = 'a\x1b[2J\x07\x7f\x9b31m\u2028\u202eb\u2066ö😀'
  const lines: string[] = []
  createLogger('trace', { write: (line) => lines.push(line) }).info({ text }, text)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}\p{Cf}]+\n$/u)
  expect(lines[0]).toContain('ö😀')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ text, msg: text })
})
