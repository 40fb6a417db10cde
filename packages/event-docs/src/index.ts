export {
  createObserver,
  type Observed,
  type ObservedField,
  type ObservedValue,
  type Observer,
  observe,
} from './observed/observe.ts'
export { DocsSource, DocsSourceError, DocumentedEventType, readSource, sourceFormat } from './source.ts'
