/**
 * Every closed list of words that crosses the wire, is stored in a column and is shown to people.
 *
 * One constant array is the source of the TypeScript type, the JSON schema and (held to it by a test) the database's
 * `CHECK` constraint. Adding a word is a migration and an API change; renaming one is forbidden within `/v1`.
 */

/** The states of a delivery. `pending`, `retrying` and `held` are unfinished; the others are final until a person resends. */
export const deliveryStates = ['pending', 'retrying', 'held', 'delivered', 'failed', 'canceled'] as const
export type DeliveryState = (typeof deliveryStates)[number]

/** What may be asked of a delivery in which state. The API refuses everything else with `delivery_state_conflict`. */
export const deliveryCan = {
  /** One more attempt, now. In `retrying` the schedule goes on unchanged if that attempt fails. */
  resend: ['retrying', 'delivered', 'failed', 'canceled'],
  cancel: ['pending', 'retrying', 'held'],
} as const satisfies Record<string, readonly DeliveryState[]>

/**
 * Why a delivery is `canceled`: a person called it off, its subscription was resumed without what had been held, or
 * deleted, or its tenant was, or its event was erased.
 */
export const canceledReasons = [
  'canceled_by_person',
  'resume_none',
  'subscription_deleted',
  'tenant_deleted',
  'erased',
] as const
export type CanceledReason = (typeof canceledReasons)[number]

export const subscriptionStates = ['active', 'paused', 'disabled'] as const
export type SubscriptionState = (typeof subscriptionStates)[number]

/** Why a subscription is `disabled`: the receiver answered 410, or nothing but failure for too long. */
export const disabledReasons = ['gone', 'failing_too_long'] as const
export type DisabledReason = (typeof disabledReasons)[number]

/**
 * The circuit breaker of a subscription: everything is sent; nothing is, because nearly everything failed; or one
 * delivery may be sent, to see whether the receiver is back.
 */
export const breakerStates = ['closed', 'open', 'half_open'] as const
export type BreakerState = (typeof breakerStates)[number]

/** What Posthorn publishes by itself, for the operator's own tenant. */
export const systemEventTypes = [
  'posthorn.subscription.failing',
  'posthorn.subscription.disabled',
  'posthorn.subscription.recovered',
  'posthorn.delivery.exhausted',
] as const
export type SystemEventType = (typeof systemEventTypes)[number]

/**
 * The form of the body that a subscription is sent: the envelope of Standard Webhooks, CloudEvents 1.0 in its structured
 * or its binary mode, or the data alone. All are signed alike.
 */
export const payloadFormats = ['standard', 'cloudevents-structured', 'cloudevents-binary', 'raw'] as const
export type PayloadFormat = (typeof payloadFormats)[number]

/** How Posthorn shows a receiver who it is, beside the signature. */
export const credentialTypes = ['basic', 'bearer', 'api_key', 'oauth2_client_credentials'] as const
export type CredentialType = (typeof credentialTypes)[number]

/** How Posthorn shows a token URL who it is (RFC 6749 §2.3.1): in the header `authorization`, or in the body. */
export const clientAuthentications = ['client_secret_basic', 'client_secret_post'] as const
export type ClientAuthentication = (typeof clientAuthentications)[number]

/** What caused an attempt: the schedule, or a person. */
export const attemptTriggers = ['automatic', 'resend', 'replay', 'test'] as const
export type AttemptTrigger = (typeof attemptTriggers)[number]

/**
 * Why an attempt failed. Found by error codes and status codes, never by the wording of a message.
 * `docs/errors.md` explains each to the receiver's developer.
 */
export const failureCodes = [
  'dns_not_found',
  'connect_refused',
  'connect_timeout',
  'connection_reset',
  'tls_expired',
  'tls_untrusted',
  'tls_error',
  'response_timeout',
  'response_malformed',
  'http_3xx',
  'http_4xx',
  'http_410',
  'http_429',
  'http_5xx',
  'blocked_address',
  'transform_failed',
  'auth_failed',
  'egress_proxy_failed',
  'aborted',
  'internal_error',
] as const
export type FailureCode = (typeof failureCodes)[number]

export const eventTypeStates = ['active', 'archived'] as const
export type EventTypeState = (typeof eventTypeStates)[number]

/** What happens to published data that does not fit the event type's schema: not looked at, stored and marked, or refused. */
export const validationModes = ['off', 'warn', 'reject'] as const
export type ValidationMode = (typeof validationModes)[number]

export const apiKeyRoles = ['admin', 'publisher', 'support', 'viewer', 'tenant'] as const
export type ApiKeyRole = (typeof apiKeyRoles)[number]

/** Permissions that an API key may be given beside those of its role. */
export const grantablePermissions = ['payloads:read'] as const
export type GrantablePermission = (typeof grantablePermissions)[number]

/** What a portal session may be given, each for its one tenant. Publishing is not among it. */
export const portalCapabilities = [
  'event-types:read',
  'subscriptions:read',
  'subscriptions:write',
  'subscriptions:pause',
  'secrets:reveal',
  'secrets:rotate',
  'events:read',
  'payloads:read',
  'deliveries:read',
  'deliveries:resend',
  'deliveries:cancel',
] as const
export type PortalCapability = (typeof portalCapabilities)[number]

/** What a request is made with: an API key, or the token of a portal session. */
export const credentialKinds = ['api_key', 'portal_session'] as const
export type CredentialKind = (typeof credentialKinds)[number]

/** What stands in the audit log. */
export const auditActions = [
  'tenant_put',
  'tenant_deleted',
  'event_type_put',
  'event_type_archived',
  'event_type_version_created',
  'event_types_imported',
  'subscription_created',
  'subscription_changed',
  'subscription_deleted',
  'subscription_paused',
  'subscription_resumed',
  'subscription_tested',
  'secrets_revealed',
  'secret_rotated',
  'key_pair_rotated',
  'delivery_resent',
  'delivery_canceled',
  'replay_created',
  'replay_started',
  'replay_paused',
  'replay_resumed',
  'replay_changed',
  'replay_canceled',
  'erasure_requested',
  'outbox_event_retried',
  'outbox_event_given_up',
  'api_key_created',
  'api_key_revoked',
  'portal_session_created',
  'portal_session_revoked',
] as const
export type AuditAction = (typeof auditActions)[number]

export const erasureStates = ['running', 'completed'] as const
export type ErasureState = (typeof erasureStates)[number]

export const portalThemeModes = ['light', 'dark', 'auto'] as const
export type PortalThemeMode = (typeof portalThemeModes)[number]

/** A draft that nobody runs has `expired` in the end. */
export const replayStates = ['draft', 'running', 'paused', 'completed', 'canceled', 'expired'] as const
export type ReplayState = (typeof replayStates)[number]

/** What may be asked of a replay in which state. The API refuses everything else with `replay_state_conflict`. */
export const replayCan = {
  run: ['draft'],
  pause: ['running'],
  resume: ['paused'],
  cancel: ['draft', 'running', 'paused'],
} as const satisfies Record<string, readonly ReplayState[]>

/** Which of the deliveries that its filter finds a replay sends: those that failed, or all that have ended. */
export const replayChoices = ['failed', 'all'] as const
export type ReplayChoice = (typeof replayChoices)[number]

/** The states of the deliveries that each choice sends. An unfinished one is on its way by itself. */
export const replaySends = {
  failed: ['failed'],
  all: ['delivered', 'failed', 'canceled'],
} as const satisfies Record<ReplayChoice, readonly DeliveryState[]>

/** What has become of an item of a replay. `under_way` is due or in flight. */
export const replayOutcomes = ['waiting', 'under_way', 'delivered', 'failed', 'skipped', 'canceled'] as const
export type ReplayOutcome = (typeof replayOutcomes)[number]

/**
 * Why a replay does not send a delivery: the state that it is in, or that of its subscription; what its event held is
 * `erased`, or it is `removed`, which is no longer kept.
 */
export const replaySkipReasons = [
  'delivered',
  'pending',
  'retrying',
  'in_flight',
  'held',
  'canceled',
  'subscription_paused',
  'subscription_disabled',
  'subscription_deleted',
  'erased',
  'removed',
] as const
export type ReplaySkipReason = (typeof replaySkipReasons)[number]

/** What a filter can ask of a value. `docs/filters.md` explains each. */
export const filterOperators = [
  '$eq',
  '$ne',
  '$gt',
  '$gte',
  '$lt',
  '$lte',
  '$in',
  '$nin',
  '$exists',
  '$startsWith',
  '$endsWith',
  '$contains',
  '$not',
  '$and',
  '$or',
] as const
export type FilterOperator = (typeof filterOperators)[number]

/** An event in the outbox: it is going to be published, or it can never be and needs a person. */
export const outboxEventStates = ['waiting', 'refused'] as const
export type OutboxEventState = (typeof outboxEventStates)[number]

/** Why an event is not sent to a subscription, or not now. */
export const matchReasons = [
  'event_type',
  'not_chosen',
  'filter',
  'paused',
  'disabled',
  'created_later',
  'changed_later',
  'deleted',
] as const
export type MatchReason = (typeof matchReasons)[number]
/**
 * How requests are signed: Ed25519 with a key pair, HMAC-SHA256 with a shared secret (Standard Webhooks 1.0). In the order
 * of the header `webhook-signature`: there are receivers that read its last signature only, and they know `v1`.
 */
export const signatureSchemes = ['v1a', 'v1'] as const
export type SignatureScheme = (typeof signatureSchemes)[number]

/**
 * Why a request does not pass the check of its signature. `docs/signature-checks.md` explains each to the receiver's
 * developer.
 */
export const signatureCauses = [
  'missing_header',
  'renamed_header',
  'malformed_header',
  'signature_encoding',
  'unknown_scheme',
  'timestamp_in_ms',
  'timestamp_too_old',
  'timestamp_too_new',
  'timestamp_changed',
  'secret_expired',
  'secret_of_other_subscription',
  'secret_with_prefix',
  'secret_not_decoded',
  'signed_body_only',
  'signed_without_id',
  'body_missing',
  'body_truncated',
  'body_reserialized',
  'body_stringified',
  'body_data_only',
  'body_trailing_space',
  'body_line_endings',
  'body_byte_order_mark',
  'body_encoding',
  'body_unicode_form',
  'body_changed',
  'event_unknown',
  'no_match',
] as const
export type SignatureCause = (typeof signatureCauses)[number]

/** What may be wrong with a place in the data of events, beside what its schema declares. */
export const observationFindings = [
  'undeclared',
  'never_seen',
  'required_missing',
  'undeclared_type',
  'outside_list',
] as const
export type ObservationFinding = (typeof observationFindings)[number]

/** What a receiver is checked for, in this order. `docs/receiver-check.md` explains each to the receiver's developer. */
export const receiverChecks = [
  'good_event',
  'wrong_signature',
  'stale_timestamp',
  'duplicate',
  'unknown_event_type',
  'unknown_member',
  'large_event',
  'old_secret_in_rotation',
  'new_secret_in_rotation',
  'answer_time',
] as const
export type ReceiverCheck = (typeof receiverChecks)[number]

/** How a receiver did in a check. */
export const checkVerdicts = ['passed', 'warning', 'failed', 'not_run', 'not_applicable'] as const
export type CheckVerdict = (typeof checkVerdicts)[number]
