/** The typed client of Posthorn's API. Runs on Node 20 and newer, and in browsers; no dependencies. */
export type { Fetch } from './calling.ts'
export type { CallCode, ErrorCode, ErrorPlace, ProblemCode } from './errors.ts'
export { isPosthornError, PosthornError } from './errors.ts'
export type * from './generated/types.gen.ts'
export type { Body, CallOptions, Listed, OperationName, Output, Query } from './inputs.ts'
export type { Page, Pages } from './pages.ts'
export type { FullAnswer, Posthorn, PosthornOptions } from './posthorn.ts'
export { createPosthorn } from './posthorn.ts'
