/** One thread that asks `jsoncompat`: it may take for ever, and then its thread is ended. */
import { readFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { check_compat, initSync } from 'jsoncompat'

const code = new URL(import.meta.resolve('jsoncompat/jsoncompat_wasm_bg.wasm'))
initSync({ module: readFileSync(code) })

parentPort?.on('message', ({ before, now }: { before: string; now: string }) => {
  parentPort?.postMessage(judged(before, now))
})

/** Whether what fits `now` fits `before` too: the role of who writes the data. */
function judged(before: string, now: string): { compatible: boolean } | { refused: string } {
  try {
    return { compatible: check_compat(before, now, 'serializer') }
  } catch (error) {
    return { refused: String(error) }
  }
}
