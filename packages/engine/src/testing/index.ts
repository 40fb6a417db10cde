export { createEmptyDatabase, createTestDatabase } from './database.ts'
export { copyDatabase, openTestServer, type TestDatabase, type TestServer, withClient } from './server.ts'
