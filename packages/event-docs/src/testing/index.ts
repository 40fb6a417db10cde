export { type Host, installDebianPackages } from './debian-packages.ts'
export { documentationOf, type GivenEventType, type GivenVersion, testMeta } from './documentation.ts'
export { documented, exampleMeta, manyEventTypes } from './many-event-types.ts'
export { sampleEventTypes } from './sample-event-types.ts'
