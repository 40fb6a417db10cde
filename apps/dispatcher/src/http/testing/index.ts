export { type Authority, createAuthority, type Identity, issueCertificate } from './certificates.ts'
export { type RawReceiver, type Reaction, startListener, startReceiver } from './raw-receiver.ts'
