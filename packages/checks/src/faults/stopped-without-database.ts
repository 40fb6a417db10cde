/** SIGTERM of a dispatcher with requests in flight: twice in a row, and while the database is away. */
import { shardCount } from '@posthorn/engine'
import { createGate } from '../flows/gate.ts'
import { differences } from './differences.ts'
import type { Fault, FaultRow } from './fault.ts'
import { openGround } from './ground.ts'
import { startOwnPostgres } from './own-postgres.ts'
import { isStopping } from './posthorn-process.ts'

const inFlight = 8

export const stoppedWithoutDatabase: Fault = {
  name: 'stops-in-outage',
  async bringAbout(parts) {
    await using postgres = await startOwnPostgres({ host: parts.host })
    let gate = createGate()
    await using ground = await openGround(parts, postgres.url, { answer: (request) => gate.answer(request) })
    const api = await ground.serveApi()
    const tenants = await ground.subscribe(api, { name: 'stops', count: 1, maxInFlight: inFlight })
    const rows: FaultRow[] = []

    /** Stops a dispatcher that has requests in flight, whatever else is done to it. */
    async function stop(options: {
      fault: string
      drainSeconds?: number
      duplicatesAllowed?: number
      disturb(dispatcher: ReturnType<typeof ground.serve>): Promise<void>
    }): Promise<void> {
      gate = createGate()
      parts.tell(options.fault)
      const dispatcher = ground.serve(options.drainSeconds === undefined ? {} : { drainSeconds: options.drainSeconds })
      await ground.soon(
        'its shards',
        dispatcher.until(() => dispatcher.shards.length === shardCount),
      )
      const firstNumber = rows.length * 100
      const load = ground.load(api, { tenants, perSecond: 1000, firstNumber, countMax: inFlight })
      await load.finish()
      await ground.soon('the requests', gate.holds(inFlight))
      await ground.soon('what is done to it', options.disturb(dispatcher))
      const end = await ground.soon('its end', dispatcher.ended)
      await postgres.start()
      gate.open()
      const startedAtMs = performance.now()
      const successor = ground.serve()
      await ground.skipWaiting()
      const after = ground.load(api, { tenants, perSecond: 100, firstNumber: firstNumber + 50, countMax: 5 })
      await after.finish()
      const row = await ground.row({
        fault: options.fault,
        loads: [load, after],
        overAtMs: startedAtMs,
        duplicatesAllowed: options.duplicatesAllowed ?? 0,
        answersAllowed: ['503'],
        notes: [`${inFlight} in flight`],
        wrong: differences('exit code', end, 0),
      })
      rows.push(row)
      successor.kill('SIGTERM')
      await ground.soon('the end of the successor', successor.ended)
    }

    await stop({
      fault: 'SIGTERM twice',
      async disturb(dispatcher) {
        dispatcher.kill('SIGTERM')
        await dispatcher.until(() => isStopping(dispatcher))
        dispatcher.kill('SIGTERM')
        gate.open()
      },
    })
    await stop({
      fault: 'SIGTERM while PostgreSQL is away, and back in time',
      async disturb(dispatcher) {
        await postgres.kill('SIGKILL')
        gate.open()
        await dispatcher.until(() => dispatcher.said.has('round failed, trying again'))
        dispatcher.kill('SIGTERM')
        await dispatcher.until(() => isStopping(dispatcher))
        await postgres.start()
      },
    })
    await stop({
      fault: 'SIGTERM while PostgreSQL is away, and stays away',
      drainSeconds: 1,
      // Their answers came and could not be written down.
      duplicatesAllowed: inFlight,
      async disturb(dispatcher) {
        await postgres.kill('SIGKILL')
        gate.open()
        dispatcher.kill('SIGTERM')
        await dispatcher.ended
      },
    })
    return rows
  },
}
