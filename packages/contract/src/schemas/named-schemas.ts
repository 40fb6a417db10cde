import { ApiKey, ApiKeyPage, CreatedApiKey } from './api-key.ts'
import { Attempt, AttemptPage, CurlCommand } from './attempt.ts'
import { AuditEntry, AuditEntryPage } from './audit.ts'
import { Credential } from './credential.ts'
import { Delivery, DeliveryPage, ExpandedDelivery } from './delivery.ts'
import { Cause, Causes, DeliveryMetricSchema, DeliveryMetrics } from './delivery-metrics.ts'
import { Erasure, ErasurePage } from './erasure.ts'
import { Event, EventSummary, EventSummaryPage } from './event.ts'
import {
  EventType,
  EventTypeImport,
  EventTypePage,
  EventTypeVersion,
  EventTypeVersionDryRun,
  EventTypeVersionPage,
  SchemaChange,
  SchemaComparison,
} from './event-type.ts'
import { ListFilter } from './list-filter.ts'
import {
  DryRun,
  DryRunMatch,
  EventMatch,
  EventMatches,
  FailedClauseSchema,
  FilterCheck,
  TransformFailure,
  TransformPreview,
} from './match.ts'
import { Meta } from './meta.ts'
import { Observations, ObservedField } from './observation.ts'
import { OutboxEvent, OutboxEventContent, OutboxEventPage } from './outbox-event.ts'
import { CreatedPortalSession, PortalSession, PortalSessionPage, PortalTheme } from './portal-session.ts'
import { ProblemSchema } from './problem.ts'
import { PublishEvent, PublishedEvent, PublishResult, PublishResults } from './publish.ts'
import { Health, Readiness } from './readiness.ts'
import type { NamedSchema } from './reference.ts'
import { CreatedReplay, CreateReplay, Replay, ReplayItem, ReplayItemPage, ReplayPage } from './replay.ts'
import { Scorecard, ScorecardCheck } from './scorecard.ts'
import { SearchHit, SearchResults } from './search.ts'
import { PublicKey, PublicKeys, RotatedPublicKey, RotatedSecret, Secret, Secrets } from './secret.ts'
import { SignatureCheck } from './signature-check.ts'
import { StreamedAttempt } from './stream.ts'
import { ChangedSubscription, CreatedSubscription, Subscription, SubscriptionPage } from './subscription.ts'
import { SubscriptionHealth } from './subscription-health.ts'
import { SubscriptionTest } from './subscription-test.ts'
import { Contact, Tenant, TenantPage } from './tenant.ts'

/** Every schema with a name of its own: the components of the OpenAPI document. */
export const namedSchemas: readonly NamedSchema[] = [
  ProblemSchema,
  Health,
  Readiness,
  Meta,
  Contact,
  Tenant,
  TenantPage,
  EventType,
  EventTypePage,
  EventTypeVersion,
  EventTypeVersionPage,
  SchemaChange,
  SchemaComparison,
  EventTypeVersionDryRun,
  EventTypeImport,
  ObservedField,
  Observations,
  Subscription,
  CreatedSubscription,
  ChangedSubscription,
  SubscriptionPage,
  SubscriptionHealth,
  Secret,
  RotatedSecret,
  Secrets,
  PublicKey,
  RotatedPublicKey,
  PublicKeys,
  SubscriptionTest,
  ScorecardCheck,
  Scorecard,
  SignatureCheck,
  PublishEvent,
  PublishedEvent,
  PublishResult,
  PublishResults,
  FailedClauseSchema,
  EventMatch,
  EventMatches,
  TransformFailure,
  DryRunMatch,
  DryRun,
  TransformPreview,
  FilterCheck,
  EventSummary,
  EventSummaryPage,
  Event,
  Attempt,
  AttemptPage,
  CurlCommand,
  Delivery,
  DeliveryPage,
  ExpandedDelivery,
  OutboxEvent,
  OutboxEventContent,
  OutboxEventPage,
  DeliveryMetricSchema,
  DeliveryMetrics,
  Cause,
  Causes,
  StreamedAttempt,
  SearchHit,
  SearchResults,
  ListFilter,
  CreateReplay,
  CreatedReplay,
  Replay,
  ReplayPage,
  ReplayItem,
  ReplayItemPage,
  ApiKey,
  ApiKeyPage,
  CreatedApiKey,
  PortalTheme,
  PortalSession,
  PortalSessionPage,
  CreatedPortalSession,
  Credential,
  AuditEntry,
  AuditEntryPage,
  Erasure,
  ErasurePage,
]
