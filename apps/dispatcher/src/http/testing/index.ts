export { type Authority, createAuthority, type Identity, issueCertificate } from '@posthorn/engine/testing'
export { type RawReceiver, type Reaction, startListener, startReceiver } from './raw-receiver.ts'
