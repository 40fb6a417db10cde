export * from './address-policy.ts'
export * from './address-resolver.ts'
export {
  type AttemptOutcome,
  type AttemptRequest,
  type Claim,
  claimOf,
  judgeAttempt,
  prepareAttempt,
} from './attempt.ts'
export { type Batcher, BatcherFull, createBatcher } from './batcher.ts'
export * from './callback-url.ts'
export { type Database, openDatabase } from './db/database.ts'
export { DemoDatabaseError, prepareDemoDatabase } from './db/demo-database.ts'
export { MigrationError, migrate, pendingMigrations } from './db/migrate.ts'
export { ensurePartitions, partitionsReadyUntil } from './db/partitions.ts'
export { beatDispatcher } from './db/sql/beat-dispatcher.ts'
export { type ClaimRow, claimDeliveries } from './db/sql/claim-deliveries.ts'
export { forgetDispatcher } from './db/sql/forget-dispatcher.ts'
export { giveBack } from './db/sql/give-back.ts'
export { type AttemptRecord, recordAttempts } from './db/sql/record-attempts.ts'
export { wakeDeliveries } from './db/sql/wake-deliveries.ts'
export { type Tx, transaction } from './db/transaction.ts'
export { DatabaseUnavailable, isDatabaseUnavailable } from './db/unavailable.ts'
export { type Accepted, createPublisher, type EventDraft, type Publisher } from './events.ts'
export { hold, release, requestHolding, requestRelease } from './holding.ts'
export { installJobs, type JobName, type JobPayloads, type Jobs, openJobs } from './jobs.ts'
export { cancelDelivery, resendDelivery } from './resending.ts'
export * from './settings.ts'
export { shardCount, shardOf } from './shards.ts'
export { createKeyRing } from './signing-keys.ts'
export { createLogger, logLevels, logTo, type Occurrence, type Telemetry } from './telemetry.ts'
export { version } from './version.ts'
export { createWorkHints, listenForWork } from './work-hints.ts'
export { newUuid, type World } from './world.ts'
