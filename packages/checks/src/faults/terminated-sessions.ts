/** `pg_terminate_backend` of a session of ours, chosen by chance, five times a second under load. */
import { withClient } from '@posthorn/engine/testing'
import type { Fault } from './fault.ts'
import { type Ground, openGround } from './ground.ts'
import type { Load } from './load.ts'

const everyMs = 200
/** How much of what is published must be delivered in the same time, compared with before. */
const partMin = 0.95
const sizes = {
  short: { sessions: 15, perSecond: 100, window: 400 },
  long: { sessions: 150, perSecond: 500, window: 10_000 },
}

export const terminatedSessions: Fault = {
  name: 'sessions',
  async bringAbout(parts) {
    const { sessions, perSecond, window } = sizes[parts.size]
    await using database = await parts.openDatabase()
    await using ground = await openGround(parts, database.url)
    const all = await ground.serveApi({ role: 'all' })
    const tenants = await ground.subscribe(all, { name: 'sessions', count: 20 })
    const load = ground.load(all, { tenants, perSecond })
    await ground.more(perSecond)
    const before = await pace(ground, load, window)
    await terminate(ground, database.url, sessions)
    const overAtMs = performance.now()
    await ground.recovered([load], overAtMs)
    const after = await pace(ground, load, window)
    await load.finish()
    return [
      await ground.row({
        fault: `${sessions} sessions ended, ${1000 / everyMs} a second`,
        loads: [load],
        overAtMs,
        hasten: true,
        answersAllowed: ['503'],
        notes: [
          `${load.answers.get('503') ?? 0} × 503`,
          `${before.perSecond.toFixed(0)}/s before, ${after.perSecond.toFixed(0)}/s after`,
          ...(all.said.has('round failed, trying again') ? [] : ['nothing was noticed']),
        ],
        // More than was published is what had waited before, and no pace.
        wrong: after.part < Math.min(1, before.part) * partMin ? [`delivered ${after.part} of what was published`] : [],
      }),
    ]
  },
}

/** Over so many requests: how many a second, and their part of what was published in that time. */
async function pace(ground: Ground, load: Load, requests: number): Promise<{ perSecond: number; part: number }> {
  const [startedMs, published] = [performance.now(), load.publications.size]
  await ground.manyMore(requests)
  const perSecond = requests / ((performance.now() - startedMs) / 1000)
  return { perSecond, part: requests / (load.publications.size - published) }
}

/** Ends one session at each beat. Resolves when so many have been ended. */
async function terminate(ground: Ground, url: string, sessions: number): Promise<void> {
  let ended = 0
  await withClient(url, async (client) => {
    const ending = setInterval(() => {
      void client.query(statement).then(({ rows }) => {
        ended += rows.length
        ground.tally.notify()
      })
    }, everyMs)
    try {
      await ground.until('ended sessions', () => ended >= sessions)
    } finally {
      clearInterval(ending)
    }
  })
}

const statement = `
select pg_terminate_backend(pid)
from (select pid from pg_stat_activity
      where datname = current_database() and application_name like 'posthorn%' and pid <> pg_backend_pid()
      order by random() limit 1) one`
