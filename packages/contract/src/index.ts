export * from './event-type-pattern.ts'
export { compareNumbers, ExactNumber, readExactJson } from './exact-number.ts'
export * from './filter.ts'
export * from './filter-judgement.ts'
export { form, formSentence } from './forms.ts'
export * from './ids.ts'
export * from './limits.ts'
export * from './problems.ts'
export {
  type ChangeKind,
  type ChangeVerdict,
  changeKinds,
  changeVerdicts,
  type SchemaChange,
  type SchemaChanges,
} from './schema-changes/changes.ts'
export {
  type Bound,
  boundOf,
  isClosed,
  itemAt,
  limitOf,
  listOf,
  memberOf,
  membersOf,
  objectOf,
  otherMembers,
  ownMember,
} from './schema-changes/keywords.ts'
export { schemaChanges } from './schema-changes/schema-changes.ts'
export {
  type Alternative,
  canonical,
  isObject,
  type JsonType,
  jsonTypes,
  type Keywords,
  numbering,
  type SchemaDocument,
  schemaDocument,
  TooComplex,
  typeOf,
} from './schema-changes/schema-document.ts'
export { constantsOf, inWords, memberPath, shown } from './schema-changes/words.ts'
export * from './schemas/index.ts'
export * from './states.ts'
