/**
 * Makes what is generated before anything imports it, the Prisma client and the types of the SDK: `turbo run generate`,
 * which does nothing when neither the schema nor the API's document has changed. Quiet when all is well, because it runs before the first line that a newcomer reads.
 */
import { spawnSync } from 'node:child_process'

const environment = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }
const { status, stdout, stderr, error } = spawnSync('turbo', ['run', 'generate'], {
  env: environment,
  encoding: 'utf8',
})
if (error !== undefined || status !== 0) {
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}\nWhat is generated could not be made.\n`)
  process.exitCode = 1
}
