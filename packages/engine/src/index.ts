export * from './address-policy.ts'
export * from './address-resolver.ts'
export {
  type ApiKeyDraft,
  type ApiKeyInfo,
  createApiKey,
  listApiKeys,
  parseApiKey,
  registerAdminKey,
  revokeApiKey,
} from './api-keys.ts'
export { createAscendingIds } from './ascending-ids.ts'
export {
  type AttemptMeans,
  type AttemptOutcome,
  type AttemptRequest,
  type Claim,
  claimOf,
  type Deviation,
  judgeAttempt,
  prepareAttempt,
} from './attempt.ts'
export {
  type Audit,
  type AuditEntry,
  type AuditFilter,
  auditedDatabase,
  listAuditEntries,
} from './audit.ts'
export { type Batcher, BatcherFull, createBatcher } from './batcher.ts'
export * from './callback-url.ts'
export {
  type ApiKeyCredential,
  type Authenticate,
  actorsOfTenant,
  type Credential,
  createAuthenticate,
  findApiKeys,
  type PortalCredential,
} from './credentials.ts'
export { curlCommand } from './curl.ts'
export { customHeaders, headerNameFault, redacted, soundsLikeCredential } from './custom-headers.ts'
export { type Database, openDatabase } from './db/database.ts'
export { DemoDatabaseError, prepareDemoDatabase } from './db/demo-database.ts'
export { MigrationError, migrate, pendingMigrations } from './db/migrate.ts'
export { dropOldPartitions, ensurePartitions, partitionsReadyUntil } from './db/partitions.ts'
export { beatDispatcher } from './db/sql/beat-dispatcher.ts'
export { claimDeliveries, type Offer } from './db/sql/claim-deliveries.ts'
export { feedReplay } from './db/sql/feed-replay.ts'
export type { DeliveryFilter, EventFilter } from './db/sql/filter-conditions.ts'
export { forgetDispatcher } from './db/sql/forget-dispatcher.ts'
export { forgetSilentDispatcher } from './db/sql/forget-silent-dispatcher.ts'
export { giveBack } from './db/sql/give-back.ts'
export { giveSignOfLife } from './db/sql/give-sign-of-life.ts'
export { hasOutboxEvents } from './db/sql/has-outbox-events.ts'
export { hasSystemEvents } from './db/sql/has-system-events.ts'
export { noteShardJobs } from './db/sql/note-shard-jobs.ts'
export { type AttemptRecord, type HealthChange, recordAttempts } from './db/sql/record-attempts.ts'
export { type DueSubscription, selectDueSubscriptions } from './db/sql/select-due-subscriptions.ts'
export { selectSilentDispatchers } from './db/sql/select-silent-dispatchers.ts'
export { settleTargetItem } from './db/sql/settle-target-item.ts'
export { takeTargetItems } from './db/sql/take-target-items.ts'
export { wakeDeliveries } from './db/sql/wake-deliveries.ts'
export { type Tx, transaction } from './db/transaction.ts'
export { DatabaseUnavailable, isDatabaseUnavailable, isRefused } from './db/unavailable.ts'
export {
  type Attempt,
  type DeliveryRow,
  getDelivery,
  listAttempts,
  listDeliveries,
  newestSent,
} from './deliveries.ts'
export {
  type CauseRow,
  type Counted,
  getCauses,
  getDeliveryMetrics,
  type MetricRow,
  type MetricsFilter,
  type MetricsQuestion,
} from './delivery-metrics.ts'
export type { DryRun, DryRunMatch, ShownRequest } from './dry-run.ts'
export { parseEgressAddresses } from './egress-addresses.ts'
export { type EgressProxy, parseEgressProxy } from './egress-proxy.ts'
export { envelope } from './envelope.ts'
export {
  type Erasure,
  type ErasureDraft,
  eraseRunning,
  getErasure,
  listErasures,
  requestErasure,
} from './erasures.ts'
export { type EventCatalogue, eventCatalogueStamp, readEventCatalogue } from './event-catalogue.ts'
export { checkFilter, type EventMatch, explainEvent, heldReason } from './event-matches.ts'
export { type Event, type EventSummary, eventHeaderNames, getEvent, listEvents, refuseErased } from './event-reads.ts'
export { type EventSample, sampleEvents } from './event-samples.ts'
export { type Import, type ImportedType, importEventTypes } from './event-type-import.ts'
export {
  compareEventTypeVersion,
  createEventTypeVersion,
  getEventTypeVersion,
  storedComparison,
  type VersionComparison,
} from './event-type-versions.ts'
export {
  archiveEventType,
  createSchemaCheck,
  type EventType,
  type EventTypeInput,
  type EventTypeVersion,
  getEventType,
  listEventTypes,
  listEventTypeVersions,
  putEventType,
} from './event-types.ts'
export { type Accepted, createPublisher, type EventDraft, type Publisher, publishInOrder } from './events.ts'
export {
  disableAfterHoursDefault,
  type FailingParts,
  isOurFault,
  isUnreachable,
  judgeSubscriptions,
} from './failing.ts'
export { givenFilter } from './filters.ts'
export { percentile } from './histogram.ts'
export { hold, holdLatecomers, release, requestCanceling, requestHolding, requestRelease } from './holding.ts'
export {
  abandonOnce,
  beginOnce,
  deleteOldIdempotencyKeys,
  endOnce,
  forgetOnce,
  type IdempotencyParts,
  type IdempotencyRecord,
  onceIdOf,
} from './idempotency.ts'
export { installJobs, type JobName, type JobPayloads, type Jobs, openJobs } from './jobs.ts'
export { type JsonForm, jsonFault } from './json-faults.ts'
export { listPublicKeys, type PublicKeyInfo, rotateKeyPair, schemesOf } from './key-pairs.ts'
export { type FilterReading, type FilterWords, inQuery, parseListFilter, timesOf } from './list-filters.ts'
export { createLogLines } from './log-lines.ts'
export type { MatchedEvent, Verdict } from './matching.ts'
export { createMetrics, type Metrics } from './metrics.ts'
export { ensureOperator, parseOperatorTenant } from './operator.ts'
export { type OutboxParts, outboxPublishId, publishOutbox } from './outbox.ts'
export {
  deleteOutboxEvent,
  getOutboxEvent,
  type ListedOutboxEvent,
  listOutboxEvents,
  retryOutboxEvent,
  type WholeOutboxEvent,
} from './outbox-events.ts'
export type { Page, PageRequest } from './paging.ts'
export { type EventOrigin, eventOrigin, parseEventSource, payload, payloadFormatOf } from './payload.ts'
export {
  createPortalSession,
  getPortalSession,
  listPortalSessions,
  type PortalSessionDraft,
  type PortalSessionInfo,
  revokePortalSession,
} from './portal-sessions.ts'
export { apart, memberText, poisonousDetail, poisonousMember, publishedData } from './published-json.ts'
export * from './rate-limit.ts'
export { type CheckOutcome, type ReadinessCheck, readinessChecks } from './readiness.ts'
export { type PlannedRequest, type RequestedCheck, receiverRequests, staleSeconds } from './receiver-check-requests.ts'
export {
  type CheckedRequest,
  checkedRequest,
  checkReceiver,
  finishCheck,
  type ReceiverCheckOutcome,
} from './receiver-checks.ts'
export { expireOldDrafts } from './replay-drafts.ts'
export { targetClaim } from './replay-targets.ts'
export { createReplaying, type Replaying, type ReplayStep } from './replaying.ts'
export {
  draftReplay,
  getReplay,
  listReplayItems,
  listReplays,
  moveReplay,
  patchReplay,
  type Replay,
  type ReplayDraft,
  type ReplayItemRow,
  type ReplayMove,
  type ReplayPreview,
} from './replays.ts'
export { cancelDelivery, resendDelivery } from './resending.ts'
export {
  applyRetention,
  auditRetentionDaysDefault,
  type Retained,
  type Retention,
  retentionDaysDefault,
} from './retention.ts'
export {
  findUnreadable,
  type Rewrapped,
  type RewrappedAll,
  rewrapAll,
  rewrapCredentials,
  rewrapSecrets,
} from './rewrapping.ts'
export { rollUpAttempts } from './rollups.ts'
export { defaultRetryScheduleSeconds, retryAfterMsMax } from './schedule.ts'
export { type JudgedCheck, type JudgedReceiver, judgeReceiver } from './scorecard.ts'
export { openSecret, type SealedSecret, type SecretPlace, sealSecret } from './sealed-secrets.ts'
export { createSeal, masterKeyHint, parseMasterKeys, type Seal, SealError } from './sealing.ts'
export { type Found, search } from './search.ts'
export { type OlderKey, type RevealedSecret, type Rotation, revealSecrets, rotateSecret } from './secrets.ts'
export { sentBody } from './sent-body.ts'
export * from './settings.ts'
export { shardCount, shardOf } from './shards.ts'
export { checkSignature, type SignatureCheck } from './signature-checks.ts'
export { createKeyRing, type KeyRing, type StoredKey } from './signing-keys.ts'
export {
  createStream,
  createStreamTeller,
  type Stream,
  type StreamedRow,
  type StreamFilter,
  type StreamReader,
  type StreamTeller,
  streamPosition,
} from './stream.ts'
export { shownAuth, type TokenGrant } from './subscription-auth.ts'
export { type Blocking, getSubscriptionHealth, type SubscriptionHealth } from './subscription-health.ts'
export { countWaiting, getSubscription, listSubscriptions, type Subscription } from './subscription-reads.ts'
export {
  finishTest,
  type TakenTest,
  type TestOutcome,
  takeTest,
  testEventType,
  testSubscription,
} from './subscription-tests.ts'
export { openedTls, shownTls, type TlsSettings } from './subscription-tls.ts'
export {
  createSubscription,
  deleteSubscription,
  patchSubscription,
  pauseSubscription,
  resumeSubscription,
  type SubscriptionDraft,
  type SubscriptionParts,
  type SubscriptionPatch,
  timeoutMsDefault,
} from './subscriptions.ts'
export { publishSystemEvents, type SystemEventParts } from './system-events.ts'
export { createLogger, logLevels, logTo, type Occurrence, type Telemetry } from './telemetry.ts'
export type { Within } from './tenancy.ts'
export {
  deleteTenant,
  getTenant,
  listTenants,
  putTenant,
  type Tenant,
  type TenantInput,
  tenantNotFound,
} from './tenants.ts'
export { isTraceparent } from './traceparent.ts'
export { transformHash } from './transform-headers.ts'
export { previewTransform, type TransformPreview } from './transform-previews.ts'
export { EvaluatorsUnavailable } from './transforms/evaluators.ts'
export { createTransforms, TransformFailed, type Transforms } from './transforms.ts'
export { createUrlCheck, type UrlCheck } from './url-check.ts'
export { version } from './version.ts'
export { createWorkHints, type DueWork, listenForWork, type WorkHints } from './work-hints.ts'
export { newUuid, storedRandomBytes, type World } from './world.ts'
