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
export { createTestFolder } from './folders.ts'
export { type HostileUrl, hostileNames, hostileOwnHosts, hostileUrls, type UrlVerdict } from './hostile-urls.ts'
export { testMasterKeyText, testSeal } from './master-keys.ts'
export { type Name, type NameServer, type Reply, startNameServer } from './name-server.ts'
export { copyDatabase, openTestServer, type TestDatabase, type TestServer, withClient } from './server.ts'
export { tell } from './told.ts'
