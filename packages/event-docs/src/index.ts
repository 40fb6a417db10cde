export type { Artifact, Artifacts } from './artifact.ts'
export { type CheckResult, checkAgainst } from './artifacts/compatibility/check.ts'
export { type PublishedDocs, PublishedDocsError, readPublished } from './artifacts/compatibility/published.ts'
export { Branding, brandingDefault, readBranding } from './branding.ts'
export {
  goneStatus,
  headerFacts,
  jitterPartMax,
  patienceStatuses,
  retryAfterSecondsMax,
} from './delivery-facts.ts'
export { createDocumentation, type Documentation } from './documentation.ts'
export {
  createObserver,
  type Observed,
  type ObservedField,
  type ObservedValue,
  type Observer,
  observe,
} from './observed/observe.ts'
export { type Sample, samples } from './samples/samples.ts'
export {
  curlOf,
  documentedSendMs,
  protectionOf,
  publishedSecret,
  type SignedDelivery,
  signedDelivery,
} from './signed-delivery.ts'
export { openSite, type Site } from './site.ts'
export {
  DocsSource,
  DocsSourceError,
  DocumentedEventType,
  readObservations,
  readSource,
  sourceFormat,
} from './source.ts'
export { type ServedSite, SiteUnavailable, serveSite } from './thread/served-site.ts'
