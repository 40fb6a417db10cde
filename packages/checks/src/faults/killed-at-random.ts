/** kill -9 of the only dispatcher, again and again under load, after as many requests as chance says; another is started at once. */
import { randomInt } from 'node:crypto'
import type { Fault } from './fault.ts'
import { openGround } from './ground.ts'

const sizes = {
  short: { kills: 2, perSecond: 100, requestsMax: 300 },
  long: { kills: 6, perSecond: 500, requestsMax: 4_000 },
}

export const killedAtRandom: Fault = {
  name: 'kills',
  async bringAbout(parts) {
    const { kills, perSecond, requestsMax } = sizes[parts.size]
    await using database = await parts.openDatabase()
    await using ground = await openGround(parts, database.url, { answerEveryMs: 25 })
    const api = await ground.serveApi()
    const tenants = await ground.subscribe(api, { name: 'kills', count: 20 })
    let startedAt = await ground.databaseTime()
    let dispatcher = ground.serve()
    const load = ground.load(api, { tenants, perSecond })
    const killedAtMs: number[] = []
    let inFlight = 0
    for (let kill = 1; kill <= kills; kill += 1) {
      await ground.more(randomInt(100, requestsMax))
      dispatcher.kill('SIGKILL')
      killedAtMs.push(performance.now())
      await dispatcher.ended
      inFlight += await ground.inFlight(startedAt)
      startedAt = await ground.databaseTime()
      dispatcher = ground.serve()
      // Every subscription gets something from the new one before it is killed too.
      await ground.recovered([load], killedAtMs.at(-1) ?? 0)
      parts.tell(`${kill} of ${kills} kills, ${inFlight} in flight at them`)
    }
    await load.finish()
    return [
      await ground.row({
        fault: `kill -9 at random, ${kills} times at ${perSecond}/s`,
        loads: [load],
        overAtMs: killedAtMs,
        duplicatesAllowed: inFlight,
        hasten: true,
      }),
    ]
  },
}
