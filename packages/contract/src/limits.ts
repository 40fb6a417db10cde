/** Every limit of the HTTP contract, by name and with its unit. `docs/configuration.md` prints this table. */
export const limits = {
  /** `data` of one event, in bytes of UTF-8. */
  eventDataBytesMax: 256 * 1024,
  /** Body of any request but a batch. */
  requestBodyBytesMax: 256 * 1024 + 16 * 1024,
  batchBodyBytesMax: 5 * 1024 * 1024,
  batchEventsMax: 1000,
  /** Objects and arrays inside one another in a body. Deeper ones overflow parsers of receivers. */
  jsonDepthMax: 64,
  subscriptionsPerTenantMax: 500,
  eventTypesPerSubscriptionMax: 50,
  customHeadersMax: 20,
  customHeaderValueLengthMax: 4096,
  urlLengthMax: 2048,
  businessKeysMax: 16,
  businessKeyLengthMax: 64,
  businessKeyValueLengthMax: 256,
  schemaBytesMax: 64 * 1024,
  examplesMax: 20,
  metadataBytesMax: 16 * 1024,
  nameLengthMax: 128,
  descriptionLengthMax: 2000,
  retryScheduleStepsMax: 20,
  /** The longest wait between two attempts, in seconds: seven days. */
  retryDelaySecondsMax: 7 * 24 * 3600,
  timeoutMsMin: 1000,
  timeoutMsMax: 30_000,
  maxInFlightMax: 1000,
  rateLimitPerSecondMax: 10_000,
  /** A backlog is counted so far; beyond it is only said that there is more. */
  backlogCountMax: 10_000,
  pageSizeMax: 250,
  pageSizeDefault: 50,
} as const
