/**
 * The schemas of everything that crosses the wire: they validate requests, write answers, type both, and make the
 * OpenAPI document. Names are `snake_case`, as on the wire.
 */
export * from './api-key.ts'
export * from './attempt.ts'
export * from './delivery.ts'
export * from './event.ts'
export * from './event-type.ts'
export * from './id-text.ts'
export * from './moment.ts'
export * from './named-schemas.ts'
export * from './nullable.ts'
export * from './page.ts'
export * from './problem.ts'
export * from './publish.ts'
export * from './readiness.ts'
export * from './reference.ts'
export * from './secret.ts'
export * from './subscription.ts'
export * from './subscription-health.ts'
export * from './tenant.ts'
export * from './text.ts'
