export { documentationOf, type GivenEventType, type GivenVersion, testMeta } from './documentation.ts'
export { sampleEventTypes } from './sample-event-types.ts'
