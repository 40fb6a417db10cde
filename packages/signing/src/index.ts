/** Sign and verify webhooks by Standard Webhooks 1.0, schemes `v1` and `v1a`. No dependencies; Node 20 or newer. */
export type {
  ArgumentCode,
  ArgumentFailure,
  BodyNotRaw,
  HeaderFault,
  InvalidHeader,
  InvalidId,
  InvalidKey,
  InvalidKeys,
  InvalidNow,
  InvalidRandomBytes,
  InvalidSecret,
  InvalidTimestamp,
  InvalidTolerance,
  KeyFault,
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
export type { KeyPair, PrivateKey, PublicKey } from './key-pair.ts'
export { formatPrivateKey, formatPublicKey, generateKeyPair, parsePrivateKey, parsePublicKey } from './key-pair.ts'
export type { SigningKey } from './secret.ts'
export { formatSecret, generateSecret, parseSecret } from './secret.ts'
export type { SignedHeaders, WebhookContent } from './sign.ts'
export { sign, signedHeaders } from './sign.ts'
export type { VerifiedWebhook, VerifyOptions } from './verify.ts'
export { verify } from './verify.ts'
