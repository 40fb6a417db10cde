/**
 * Posthorn as an operator runs it: the whole of `posthorn serve` in any role, with the default settings and its log. The
 * one thing added is a look at what its own telemetry tells, and at how long claims take.
 */
import {
  createLogger,
  createLogLines,
  type Occurrence,
  parseMasterKeys,
  parseSettings,
  type World,
} from '@posthorn/engine'
import { serveSettings } from 'posthorn/config'
import { type Role, startServing } from 'posthorn/serve'
import { benchMasterKey } from '../../stage/master-key.ts'
import { timeStatement } from './time-statement.ts'

/** Without progress for so long, work was lost, in milliseconds. Leases run out after half of it. */
const stalledMs = 60_000

export type PosthornOptions = {
  role: Role
  databaseUrl: string
  receiverPort: number
  /** Another port of the receiver that may be sent to. */
  silentPort?: number
  adminKey: string
}

export type Drained = {
  /** From owning the shards to the last recorded attempt. */
  ms: number
  /** Attempts recorded in that time, whatever their subscription. */
  recorded: number
  /** CPU of this process in that time. */
  cpuMs: number
  /** How long each claim took, as the dispatcher sees it: the answer may wait for the event loop. */
  claimMs: readonly number[]
}

export type Totals = {
  recorded: number
  /** Attempts that did not deliver. */
  undelivered: number
  /** What the telemetry told that should not have happened. */
  troubles: readonly string[]
}

export type PosthornCalls = {
  /** Answers where the API listens; empty without one. */
  start(options: PosthornOptions): Promise<{ origin: string }>
  /** Waits until so many attempts were recorded, not counting those for `except`. */
  drained(count: number, except?: string): Promise<Drained>
  totals(): Totals
  /** Ends it in an orderly way. */
  stop(): Promise<void>
}

export type PosthornParts = {
  world: World
  monotonicMs(): number
  cpuMs(): number
  stdout: { write(line: string): unknown }
}

export function createPosthorn(parts: PosthornParts): PosthornCalls {
  const { monotonicMs, cpuMs, world } = parts
  const troubles: string[] = []
  const claimMs: number[] = []
  const bySubscription = new Map<string, number>()
  let startMs = 0
  let cpuAtStartMs = 0
  let recorded = 0
  let undelivered = 0
  let heard = (): void => undefined
  let stop = async (): Promise<void> => undefined

  function telemetry(occurrence: Occurrence): void {
    if (occurrence.what === 'shards_owned' && startMs === 0) {
      startMs = monotonicMs()
      cpuAtStartMs = cpuMs()
    } else if (occurrence.what === 'attempt_recorded') {
      const { subscriptionId, next } = occurrence.record
      recorded += 1
      if (next.kind !== 'delivered') undelivered += 1
      bySubscription.set(subscriptionId, (bySubscription.get(subscriptionId) ?? 0) + 1)
      heard()
    } else if (occurrence.what === 'round_failed' || occurrence.what === 'delivery_fault') {
      troubles.push(`${occurrence.what}: ${String(occurrence.error)}`)
    }
  }

  return {
    async start({ role, databaseUrl, receiverPort, silentPort = receiverPort, adminKey }) {
      const settings = parseSettings(serveSettings, {
        DATABASE_URL: databaseUrl,
        PORT: '0',
        POSTHORN_ADMIN_KEY: adminKey,
        POSTHORN_MASTER_KEY: benchMasterKey,
        POSTHORN_ALLOW_HTTP: 'true',
        POSTHORN_ALLOWED_RECEIVERS: `127.0.0.1:${receiverPort},127.0.0.1:${silentPort}`,
      })
      const serving = await startServing({
        role,
        settings: { ...settings, DATABASE_URL: databaseUrl, POSTHORN_MASTER_KEY: parseMasterKeys(benchMasterKey) },
        world,
        logger: createLogger(settings.LOG_LEVEL, createLogLines(parts.stdout)),
        telemetry,
      })
      stop = serving.stop
      timeStatement(serving.db.pool, 'claim-deliveries', (ms) => claimMs.push(ms), monotonicMs)
      return { origin: serving.origin ?? '' }
    },
    drained(count, except = '') {
      const { promise, resolve, reject } = Promise.withResolvers<Drained>()
      let before = -1
      const watch = setInterval(() => {
        if (recorded === before) {
          clearInterval(watch)
          reject(new Error(`nothing was recorded for ${stalledMs / 1000} s, after ${recorded}. ${troubles.join('\n')}`))
        }
        before = recorded
      }, stalledMs)
      heard = () => {
        if (recorded - (bySubscription.get(except) ?? 0) < count) return
        heard = () => undefined
        clearInterval(watch)
        resolve({ ms: monotonicMs() - startMs, recorded, cpuMs: cpuMs() - cpuAtStartMs, claimMs: [...claimMs] })
      }
      heard()
      return promise
    },
    totals: () => ({ recorded, undelivered, troubles }),
    stop: () => stop(),
  }
}
