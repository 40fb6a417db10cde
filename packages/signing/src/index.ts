/** Sign and verify webhooks by Standard Webhooks 1.0, scheme `v1`. No dependencies; Node 20 or newer. */
export type {
  ArgumentCode,
  ArgumentFailure,
  BodyNotRaw,
  HeaderFault,
  InvalidHeader,
  InvalidId,
  InvalidKeys,
  InvalidNow,
  InvalidRandomBytes,
  InvalidSecret,
  InvalidTimestamp,
  InvalidTolerance,
  MissingHeader,
  NoMatchingSignature,
  SecretFault,
  TimestampTooNew,
  TimestampTooOld,
  UnsupportedScheme,
  VerificationCode,
  VerificationFailure,
  WebhookHeaderName,
} from './errors.ts'
export { WebhookArgumentError, WebhookVerificationError, webhookHeaderNames } from './errors.ts'
export type { WebhookHeaders } from './headers.ts'
export type { SigningKey } from './secret.ts'
export { formatSecret, generateSecret, parseSecret } from './secret.ts'
export type { SignedHeaders, WebhookContent } from './sign.ts'
export { sign, signedHeaders } from './sign.ts'
export type { VerifiedWebhook, VerifyOptions } from './verify.ts'
export { verify } from './verify.ts'
