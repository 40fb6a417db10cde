/**
 * Makes the Prisma client before anything imports it: `turbo run generate`, which does nothing when the schema has not
 * changed. Quiet when all is well, because it runs before the first line that a newcomer reads.
 */
import { spawnSync } from 'node:child_process'

const environment = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }
const { status, stdout, stderr, error } = spawnSync('turbo', ['run', 'generate'], {
  env: environment,
  encoding: 'utf8',
})
if (error !== undefined || status !== 0) {
  process.stderr.write(
    `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}\nThe database client could not be generated.\n`,
  )
  process.exitCode = 1
}
