/**
 * The disk of the write-ahead log is full, under load. PostgreSQL ends itself then (it may not go on without its log), and
 * is started again when there is room: in the long form only when the leases of what was in flight are over.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Fault } from './fault.ts'
import { openGround } from './ground.ts'
import { type OwnPostgres, startOwnPostgres } from './own-postgres.ts'
import { fillDisk, mountSmallDisk, moveLog } from './small-disk.ts'

const diskBytes = 200 * 1024 ** 2
/** Left when the disk is filled: less than one file of the log, 16 MiB. */
const leftBytes = 4 * 1024 ** 2
/** In the long form publishing is refused for 30 s: longer than leases last. */
const sizes = { short: { perSecond: 100, refusedMin: 50 }, long: { perSecond: 500, refusedMin: 30 * 500 } }
/** So that requests are in flight when the database ends. */
const answerEveryMs = 250
const acceptedWithinMs = 5_000

export const fullDisk: Fault = {
  name: 'full-disk',
  async bringAbout(parts) {
    const { perSecond, refusedMin } = sizes[parts.size]
    let disk = ''
    let refusal: unknown
    let postgres: OwnPostgres
    try {
      postgres = await startOwnPostgres({
        host: parts.host,
        async rearrange({ path, cluster }) {
          disk = join(path, 'disk')
          await using stack = new AsyncDisposableStack()
          stack.use(
            await mountSmallDisk(disk, diskBytes).catch((error: unknown) => {
              refusal = error
              throw error
            }),
          )
          await moveLog(cluster, disk)
          return stack.move()
        },
      })
    } catch (error) {
      if (refusal === undefined) throw error
      return {
        skipped: `a file system cannot be mounted here: ${refusal instanceof Error ? refusal.message.trim() : refusal}`,
      }
    }
    await using _postgres = postgres
    await using ground = await openGround(parts, postgres.url, { answerEveryMs })
    const all = await ground.serveApi({ role: 'all' })
    const tenants = await ground.subscribe(all, { name: 'full', count: 20 })
    // Each event is some ten kilobytes of log.
    const load = ground.load(all, { tenants, perSecond, noiseBytes: 60_000 })
    await ground.more(perSecond)
    await fillDisk(disk, 'filler', leftBytes)
    await ground.until('refusals', () => (load.answers.get('503') ?? 0) >= refusedMin)
    const acknowledgedBefore = load.acknowledged
    await rm(join(disk, 'filler'))
    await postgres.start()
    const overAtMs = performance.now()
    await ground.until('an accepted event', () => (load.lastAt('202') ?? 0) > overAtMs)
    const acceptedMs = performance.now() - overAtMs
    await ground.recovered([load], overAtMs)
    await load.finish()
    return [
      await ground.row({
        fault: 'the disk of the log is full',
        loads: [load],
        overAtMs,
        hasten: true,
        answersAllowed: ['503'],
        notes: [
          `${acknowledgedBefore} accepted before`,
          `${load.answers.get('503')} × 503`,
          `202 again after ${(acceptedMs / 1000).toFixed(1)} s`,
        ],
        wrong: acceptedMs > acceptedWithinMs ? [`the first event was accepted after ${acceptedMs} ms`] : [],
      }),
    ]
  },
}
