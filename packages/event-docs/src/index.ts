export type { Artifact, Artifacts, MakeArtifact } from './artifact.ts'
export { addresses } from './artifacts/addresses.ts'
export { type ChangelogEntry, changelogOf, changelogSummary } from './artifacts/changelog.ts'
export { type CodeMaker, createCodeMaker } from './artifacts/code/code-maker.ts'
export type { DocsWarning } from './artifacts/code/code-warning.ts'
export { type CheckFinding, type CheckResult, checkAgainst } from './artifacts/compatibility/check.ts'
export { type PublishedDocs, PublishedDocsError, readPublished } from './artifacts/compatibility/published.ts'
export { type ExampleFile, exampleFiles } from './artifacts/example-files.ts'
export { type IpRanges, ipRanges } from './artifacts/ip-ranges.ts'
export { type MachineReadable, machineReadable } from './artifacts/machine-readable.ts'
export { schemaFault } from './artifacts/published-schema.ts'
export {
  goneStatus,
  type HeaderFact,
  headerFacts,
  jitterPartMax,
  patienceStatuses,
  retryAfterSecondsMax,
} from './delivery-facts.ts'
export {
  curlOf,
  type DeliveryHeader,
  documentedSendMs,
  type HeaderProtection,
  protectionOf,
  publishedSecret,
  type SignedDelivery,
  signedDelivery,
} from './signed-delivery.ts'
export { DocsSource, DocsSourceError, DocumentedEventType, readSource, sourceFormat } from './source.ts'
