export type { Artifact, Artifacts, MakeArtifact } from './artifact.ts'
export { Branding, brandingDefault, readBranding } from './branding.ts'
export { type Documentation, latestVersion } from './documentation.ts'
export type { Example, Examples } from './examples/examples.ts'
export { type ExamplesSource, examplesOf } from './examples/examples-of.ts'
export {
  eachField,
  type FieldContent,
  type FieldValue,
  type FieldValues,
  type SchemaField,
  type SchemaFields,
  type SchemaVariant,
  type Sensitivity,
  sensitivities,
} from './schema-fields/fields.ts'
export { schemaFields } from './schema-fields/schema-fields.ts'
export { sinceVersions } from './schema-fields/since.ts'
export { DocsSource, DocsSourceError, DocumentedEventType, readSource, sourceFormat } from './source.ts'
