export { dispatcherSettings } from './config.ts'
export { type Dispatcher, type DispatcherParts, startDispatcher } from './dispatcher.ts'
export { type Failpoint, failpoints, type PassFailpoint } from './failpoints.ts'
export { createSender, type Sender } from './http/send.ts'
