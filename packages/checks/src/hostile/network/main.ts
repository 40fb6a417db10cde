/** The process in a network of its own: sets the network up, says that it is there, and does what it is asked. */
import { createAuthority, startNameServer } from '@posthorn/engine/testing'
import { takeEveryAddress } from './addresses.ts'
import { createCalls } from './answering.ts'
import type { Answer, Beginning, Calls, Question } from './calls.ts'
import { nameServerPort, useOurNameServer } from './name-servers.ts'
import { startReceivers } from './receivers.ts'

const refusal = await setUp()
if (refusal === undefined) await begin()
else process.send?.({ refusal } satisfies Beginning, () => process.disconnect())

/** What the machine may refuse, in its words. Whatever fails later is a fault of ours. */
async function setUp(): Promise<string | undefined> {
  try {
    await takeEveryAddress()
    await useOurNameServer()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function begin(): Promise<void> {
  const names = await startNameServer({ port: nameServerPort })
  const authority = createAuthority()
  const reached = await startReceivers(authority)
  const { certificate } = authority
  const environment = { PATH: process.env['PATH'] ?? '' }
  const calls = createCalls({ names, reached, certificate, execPath: process.execPath, environment })
  process.on('message', (question: Question) => void answer(calls.answer, question))
  // The second is for a test that has died.
  for (const end of ['SIGTERM', 'disconnect']) process.once(end, () => void calls.end().finally(() => process.exit()))
  say({ certificate })
}

async function answer(calls: Calls, { id, call, args }: Question): Promise<void> {
  try {
    // The arguments are those of the call, by the type of `Network.ask`.
    const asked = calls[call] as (...args: readonly unknown[]) => unknown
    say({ id, result: await asked(...args) })
  } catch (error) {
    say({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

function say(told: Beginning | Answer): void {
  if (process.connected) process.send?.(told)
}
