export { type RawReceiver, type Reaction, startListener, startReceiver } from './raw-receiver.ts'
