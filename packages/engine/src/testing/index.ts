export { createEmptyDatabase, createTestDatabase } from './database.ts'
export { testMasterKeyText, testSeal } from './master-keys.ts'
export { copyDatabase, openTestServer, type TestDatabase, type TestServer, withClient } from './server.ts'
