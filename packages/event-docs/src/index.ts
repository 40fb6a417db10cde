export { DocsSource, DocsSourceError, DocumentedEventType, readSource, sourceFormat } from './source.ts'
