export { type LinearPattern, linearPattern, PatternRefused } from './linear-pattern.ts'
export { schemaFaults } from './rules.ts'
export { type CheckSchema, type CompiledSchema, checkWith, createSchemas, placesOf, type Schemas } from './schemas.ts'
export { TimeLimitExceeded, withinTime } from './time-limit.ts'
