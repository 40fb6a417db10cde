/** The process in a network of its own: sets the network up, says that it is there, and does what it is asked. */
import { createAuthority } from '@posthorn/dispatcher/testing'
import { startNameServer } from '@posthorn/engine/testing'
import { takeEveryAddress } from './addresses.ts'
import { createCalls } from './answering.ts'
import type { Answer, Beginning, Question } from './calls.ts'
import { nameServerPort, useOurNameServer } from './name-servers.ts'
import { startReceivers } from './receivers.ts'

await setUp()
const names = await startNameServer({ port: nameServerPort })
const authority = createAuthority()
const reached = await startReceivers(authority)
const calls = createCalls({
  names,
  reached,
  certificate: authority.certificate,
  execPath: process.execPath,
  environment: { PATH: process.env['PATH'] ?? '' },
})

process.on('message', (question: Question) => void answer(question))
// The second is for a test that has died.
for (const end of ['SIGTERM', 'disconnect']) process.once(end, () => void calls.end().finally(() => process.exit()))
say({ certificate: authority.certificate })

/** What the machine may refuse. Whatever fails later is a fault of ours. */
async function setUp(): Promise<void> {
  try {
    await takeEveryAddress()
    await useOurNameServer()
  } catch (error) {
    say({ refusal: error instanceof Error ? error.message : String(error) })
    process.exit()
  }
}

async function answer({ id, call, args }: Question): Promise<void> {
  try {
    // The arguments are those of the call, by the type of `Network.ask`.
    const asked = calls.answer[call] as (...args: readonly unknown[]) => unknown
    say({ id, result: await asked(...args) })
  } catch (error) {
    say({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

function say(told: Beginning | Answer): void {
  if (process.connected) process.send?.(told)
}
