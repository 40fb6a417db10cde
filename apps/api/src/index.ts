/** The HTTP management API. */
export { type ApiParts, buildApi } from './app.ts'
export { apiSettings } from './config.ts'
export { type ListenOptions, listenApi } from './listen.ts'
