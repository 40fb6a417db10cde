/** What the routes are given: everything they touch, and nothing else. */
import type {
  Authenticate,
  Database,
  EventOrigin,
  Jobs,
  Metrics,
  Publisher,
  ReadinessCheck,
  Seal,
  Transforms,
  UrlCheck,
  World,
} from '@posthorn/engine'
import type { Schemas } from '@posthorn/json-schema'

export type RouteParts = {
  db: Database
  world: World
  jobs: Jobs
  seal: Seal
  publisher: Publisher
  transforms: Transforms
  schemas: Schemas
  checkUrl: UrlCheck
  /** What CloudEvents say of where they come from. */
  origin: EventOrigin
  authenticate: Authenticate
  /** How long nothing but failure is put up with, in milliseconds. */
  disableAfterMs: number
  /** Where requests to receivers come from, as the operator says. */
  egressAddresses: readonly string[]
  readiness: readonly ReadinessCheck[]
  metrics: Pick<Metrics, 'contentType' | 'text'>
  /** Told which shards have work that did not come by publishing. */
  onWork(shards: readonly number[]): void
  /** How often a stream shows that it lives, and its credential is asked for again, in milliseconds; 15 s when left out. */
  heartbeatMs?: number
  links: Links
}

/** Where answers point to. */
export type Links = {
  /** The page that explains the problem codes, without a fragment. */
  errorsUrl: string
  /** Put before the paths in answers; empty for relative ones. */
  publicUrl: string
  /** Where the event types are documented; null when they are not. */
  eventDocsUrl: string | null
}
