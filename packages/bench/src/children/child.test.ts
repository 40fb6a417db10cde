import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { ChildFailed, startChild } from './child.ts'
import type { ReceiverCalls } from './receiver/receiver.ts'

test('a call to a process that has been ended fails, and so does one that is under way', async () => {
  const stop = new AbortController()
  await using receiver = await startChild<ReceiverCalls>('receiver', { folder: tmpdir(), stop: stop.signal })
  await receiver.ask('listen')
  const waiting = receiver.ask('have', 1)
  stop.abort()
  await expect(waiting).rejects.toThrow(ChildFailed)
  await expect(receiver.ask('received')).rejects.toThrow('SIGKILL')
})

test('an error of a handler comes back to who asked', async () => {
  const { signal } = new AbortController()
  await using posthorn = await startChild<{ start(options: object): Promise<void> }>('posthorn', {
    folder: tmpdir(),
    stop: signal,
  })
  await expect(posthorn.ask('start', { role: 'api', databaseUrl: 'nonsense' })).rejects.toThrow('DATABASE_URL')
})
