import { ApiKey, ApiKeyPage, CreatedApiKey } from './api-key.ts'
import { Attempt, AttemptPage } from './attempt.ts'
import { AuditEntry, AuditEntryPage } from './audit.ts'
import { Credential } from './credential.ts'
import { Delivery, DeliveryPage, ExpandedDelivery } from './delivery.ts'
import { Erasure, ErasurePage } from './erasure.ts'
import { Event, EventSummary, EventSummaryPage } from './event.ts'
import { EventType, EventTypePage, EventTypeVersion, EventTypeVersionPage } from './event-type.ts'
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
import { OutboxEvent, OutboxEventPage } from './outbox-event.ts'
import { CreatedPortalSession, PortalSession, PortalSessionPage, PortalTheme } from './portal-session.ts'
import { ProblemSchema } from './problem.ts'
import { PublishEvent, PublishedEvent, PublishResult, PublishResults } from './publish.ts'
import { Health, Readiness } from './readiness.ts'
import type { NamedSchema } from './reference.ts'
import { CreateReplay, Replay, ReplayItem, ReplayItemPage, ReplayPage } from './replay.ts'
import { PublicKey, PublicKeys, Secret, Secrets } from './secret.ts'
import { ChangedSubscription, CreatedSubscription, Subscription, SubscriptionPage } from './subscription.ts'
import { SubscriptionHealth } from './subscription-health.ts'
import { Contact, Tenant, TenantPage } from './tenant.ts'

/** Every schema with a name of its own: the components of the OpenAPI document. */
export const namedSchemas: readonly NamedSchema[] = [
  ProblemSchema,
  Health,
  Readiness,
  Contact,
  Tenant,
  TenantPage,
  EventType,
  EventTypePage,
  EventTypeVersion,
  EventTypeVersionPage,
  Subscription,
  CreatedSubscription,
  ChangedSubscription,
  SubscriptionPage,
  SubscriptionHealth,
  Secret,
  Secrets,
  PublicKey,
  PublicKeys,
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
  Delivery,
  DeliveryPage,
  ExpandedDelivery,
  OutboxEvent,
  OutboxEventPage,
  ListFilter,
  CreateReplay,
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
