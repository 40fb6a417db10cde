export { type Sample, type SampleRun, samples } from './samples/samples.ts'
export { DocsSource, DocsSourceError, DocumentedEventType, readSource, sourceFormat } from './source.ts'
