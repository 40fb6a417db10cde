export {
  type Authority,
  createAuthority,
  createIntermediate,
  createSelfSigned,
  type Identity,
  issueCertificate,
} from './certificates.ts'
export { createEmptyDatabase, createTestDatabase } from './database.ts'
export { startEgressProxy, type TestEgressProxy, type TunnelAnswer, type TunnelRequest } from './egress-proxy.ts'
export { testMasterKeyText, testSeal } from './master-keys.ts'
export { copyDatabase, openTestServer, type TestDatabase, type TestServer, withClient } from './server.ts'
