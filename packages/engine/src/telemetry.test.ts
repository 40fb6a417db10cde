import { expect, test } from 'vitest'
import { createLogger } from './telemetry.ts'

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
