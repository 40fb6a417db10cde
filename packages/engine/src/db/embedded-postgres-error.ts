/** Why the embedded PostgreSQL cannot be had. The message always says what to do about it. */
export type EmbeddedPostgresErrorCode =
  | 'platform_unsupported'
  | 'binaries_missing'
  | 'binaries_unusable'
  | 'os_user_missing'
  | 'folder_unusable'
  | 'folder_unreachable'
  | 'folder_other_version'
  | 'password_missing'
  | 'initdb_failed'
  | 'already_running'
  | 'orphan_stays'
  | 'no_free_port'
  | 'start_failed'
  | 'start_timeout'
  | 'connection_refused'

export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError'
  readonly code: EmbeddedPostgresErrorCode

  constructor(code: EmbeddedPostgresErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
