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
  /** A JSON pointer by which a business key is read out of the data. */
  keyPointerLengthMax: 256,
  schemaBytesMax: 64 * 1024,
  examplesMax: 20,
  /** What was published is compared with a schema by at most so many events, of so many bytes and so many days. */
  observedEventsMax: 500,
  observedBytesMax: 4 * 1024 * 1024,
  observedDays: 7,
  /** An OpenAPI document from which event types are imported, and the webhooks in it. */
  importBodyBytesMax: 2 * 1024 * 1024,
  importEventTypesMax: 200,
  metadataBytesMax: 16 * 1024,
  nameLengthMax: 128,
  descriptionLengthMax: 2000,
  retryScheduleStepsMax: 20,
  /** The longest wait between two attempts, in seconds: seven days. */
  retryDelaySecondsMax: 7 * 24 * 3600,
  /** Statuses of one subscription that end a delivery at once. */
  finalStatusesMax: 20,
  /** What such a status may be. A smaller one is a success or no answer yet, a larger one is none (RFC 9110 §15). */
  finalStatusMin: 300,
  finalStatusMax: 599,
  /** A user name, password, token or key that a subscription authenticates with. */
  credentialLengthMax: 4096,
  /** A client certificate with its chain, as PEM. */
  clientCertificateLengthMax: 32 * 1024,
  clientCertificateChainMax: 10,
  clientKeyLengthMax: 16 * 1024,
  /** The authorities that one subscription trusts, as PEM. */
  caCertificatesLengthMax: 64 * 1024,
  caCertificatesMax: 20,
  timeoutMsMin: 1000,
  timeoutMsMax: 30_000,
  maxInFlightMax: 1000,
  rateLimitPerSecondMax: 10_000,
  /** A backlog is counted so far; beyond it is only said that there is more. */
  backlogCountMax: 10_000,
  /** The health of a subscription counts attempts of so many minutes, and so many of them, of as many deliveries. */
  healthMinutes: 60,
  healthAttemptsMax: 1_000,
  /** Of one filter, as JSON without spaces. */
  filterBytesMax: 8 * 1024,
  /** `$and`, `$or` and `$not` inside one another. */
  filterDepthMax: 8,
  /** Operators and short forms in one filter. */
  filterClausesMax: 64,
  /** Values of one `$in` or `$nin`. */
  filterValuesMax: 100,
  /** One value to compare with, in UTF-16 units; a number as it is written. */
  filterValueLengthMax: 512,
  filterPathLengthMax: 256,
  filterPathPartsMax: 16,
  /** What judging the filters of all candidates for one event may cost, shared evenly: a step is one value looked at. */
  filterStepsPerEventMax: 200_000,
  /** Of one transform, in bytes of UTF-8. */
  transformBytesMax: 16 * 1024,
  /** Parts of a transform inside one another, the terms of a long sum or concatenation too. */
  transformDepthMax: 256,
  /** For one evaluation, of the processor. What it makes is bounded as `data` is: `eventDataBytesMax` and `jsonDepthMax`. */
  transformMsMax: 1000,
  transformMemoryMibMax: 96,
  /** One text, in UTF-16 units, and one array, in entries, that a transform may make on its way. */
  transformTextLengthMax: 1024 * 1024,
  transformArrayLengthMax: 100_000,
  /** Transforms of one tenant that are kept to show what was sent, beside those in use. */
  transformsKeptMax: 1000,
  /** Bodies in the answer to a dry run, together. */
  dryRunBodiesBytesMax: 2 * 1024 * 1024,
  /** Keys of one scheme that sign at once: the current one, and older ones whose time is not over. */
  signingKeysMax: 5,
  /** How long the older keys may sign beside a new one, in seconds: seven days. */
  overlapSecondsMax: 7 * 24 * 3600,
  overlapSecondsDefault: 24 * 3600,
  /** Days for which a tenant may ask that its content be kept, at most. */
  retentionDaysMax: 3650,
  /** How long a portal session may last, in seconds: a minute to a day. */
  portalSessionSecondsMin: 60,
  portalSessionSecondsMax: 24 * 3600,
  portalSessionSecondsDefault: 3600,
  /** Metrics are kept by the minute for so many hours, and by the hour for so many days. */
  metricsMinuteHours: 48,
  metricsDays: 90,
  /** One answer about metrics has at most so many groups, and so many intervals of each. */
  metricsGroupsMax: 100,
  metricsIntervalsMax: 3_000,
  /** Streams of one process, and of one API key in it. */
  streamsMax: 200,
  streamsPerKeyMax: 20,
  /** After which time a stream may be asked to end. */
  streamSecondsMax: 3600,
  /** What waits for a reader of a stream; one that falls further behind is cut off. */
  streamBufferBytesMax: 1024 * 1024,
  /** A stream is taken up again from a message at most so old, and only if at most so many attempts of all tenants were made since, and so many are to be told. */
  streamResumeMinutes: 15,
  streamResumeAttemptsMax: 20_000,
  streamResumeMessagesMax: 2_000,
  /** Events that one search tells of. */
  searchHitsMax: 50,
  /** For all requests of a receiver check together, in milliseconds: whoever asks for it waits as long. */
  receiverCheckMsMax: 40_000,
  idempotencyKeyLengthMax: 255,
  /** How long the answer to a request with an idempotency key is kept, in hours. */
  idempotencyKeyHours: 24,
  /** Values of one word of a list's filter, and different business keys in it. */
  listFilterValuesMax: 50,
  listFilterKeysMax: 4,
  /** Deliveries that one replay sends. */
  replayItemsMax: 1_000_000,
  replayRatePerSecondMax: 10_000,
  /** How long a draft may be run, in hours. */
  replayDraftHours: 24,
  /** What a replay leaves out is counted so far; beyond it is only said that there is more. */
  replayLeftOutCountMax: 100_000,
  /** Subscriptions that a preview names, those with the most items. */
  replaySubscriptionsShownMax: 100,
  pageSizeMax: 250,
  pageSizeDefault: 50,
} as const
