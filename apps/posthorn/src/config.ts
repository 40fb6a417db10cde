/** The settings of the whole process. The API's and the dispatcher's own stand with them. */
import { apiSettings } from '@posthorn/api'
import { dispatcherSettings } from '@posthorn/dispatcher'
import {
  boolean,
  ConfigurationError,
  choice,
  disableAfterHoursDefault,
  integer,
  logLevels,
  optional,
  type Parsed,
  parseAllowedReceivers,
  parseBlockedReceivers,
  parseEgressProxy,
  parseEventSource,
  parseMasterKeys,
  parseOperatorTenant,
  postgresUrl,
  retentionDaysDefault,
  text,
} from '@posthorn/engine'

/** What every command that opens the database reads. */
export const databaseSettings = {
  DATABASE_URL: optional(
    { secret: true, parse: postgresUrl },
    'the PostgreSQL database (15 or newer); the demo brings its own when unset',
  ),
}

/** What every command that seals or opens secrets reads. */
export const masterKeySettings = {
  POSTHORN_MASTER_KEY: optional(
    { secret: true, parse: parseMasterKeys },
    'the keys that seal signing secrets and credentials in the database: base64 of 32 bytes each, comma-separated; the first seals, all open; the demo makes its own when unset',
  ),
}

const sharedSettings = {
  POSTHORN_DATABASE_CONNECTIONS: integer(
    { min: 2, max: 200, default: 10 },
    'connections of this process for hand-written statements; Prisma takes as many again',
  ),
  POSTHORN_ALLOW_HTTP: boolean({ default: false }, 'whether callback URLs may be http'),
  POSTHORN_ALLOWED_RECEIVERS: text(
    { default: '', parse: parseAllowedReceivers },
    'receivers that may be called although their address is private: host, host:port, address or network, comma-separated',
  ),
  POSTHORN_BLOCKED_RECEIVERS: text(
    { default: '', parse: parseBlockedReceivers },
    'receivers that are never called, whatever else allows them: written likewise; a host stands for all names beneath it',
  ),
  POSTHORN_EGRESS_PROXY: optional(
    { secret: true, parse: parseEgressProxy },
    'an HTTP proxy that every request to a receiver goes through, by CONNECT: http:// or https://user:password@host:port',
  ),
  POSTHORN_EGRESS_PROXY_RESOLVES: boolean(
    { default: false },
    'whether names of receivers are left to the egress proxy, where dispatchers cannot resolve them; their addresses are then guarded by the proxy alone',
  ),
  POSTHORN_CLOUDEVENTS_SOURCE: optional(
    { parse: parseEventSource },
    '`source` of what is sent as CloudEvents, a URI that never changes; POSTHORN_PUBLIC_URL when unset, `/posthorn` without either',
  ),
  POSTHORN_TRANSFORM_PROCESSES: integer(
    { min: 1, max: 64, default: 2 },
    'processes that evaluate transforms, started when there is something to evaluate',
  ),
  POSTHORN_METRICS_PORT: optional(
    { parse: metricsPort },
    'the port on which a process of the role dispatcher answers /metrics, on HOST; it answers nothing when unset. The API answers /metrics itself',
  ),
  POSTHORN_DISABLE_AFTER_HOURS: integer(
    { min: 1, max: 720, default: disableAfterHoursDefault },
    'how long a subscription may have nothing but failure before it is disabled',
  ),
  POSTHORN_RETENTION_DAYS: integer(
    { min: 1, max: 3650, default: retentionDaysDefault },
    'how many days events, deliveries, attempts and ended replays are kept; what is still to be sent is kept longer',
  ),
  POSTHORN_OPERATOR_TENANT: text(
    { default: 'posthorn', parse: parseOperatorTenant },
    'the tenant that is told what happens to the subscriptions of the others: disabled, recovered, exhausted; made at start',
  ),
  LOG_LEVEL: choice(logLevels, { default: 'info' }, 'the least urgent lines that are logged'),
}

/** Everything `posthorn serve` reads. */
export const serveSettings = {
  ...databaseSettings,
  ...masterKeySettings,
  ...apiSettings,
  ...dispatcherSettings,
  ...sharedSettings,
}

/** Everything `posthorn demo` reads beside it. */
export const demoSettings = {
  ...serveSettings,
  POSTHORN_DATA_DIR: text({ default: '.posthorn' }, 'where the demo keeps its embedded database and its master key'),
  NODE_ENV: text({ default: 'development' }, 'the demo refuses to run when this is `production`'),
}

function metricsPort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new Error(`"${text}" is no port; give a number from 0 to 65535, 0 for any free one`)
}

/**
 * Settings that make no sense together.
 *
 * @throws ConfigurationError
 */
export function refuseContradictions(
  settings: Pick<Parsed<typeof sharedSettings>, 'POSTHORN_EGRESS_PROXY' | 'POSTHORN_EGRESS_PROXY_RESOLVES'>,
): void {
  if (!settings.POSTHORN_EGRESS_PROXY_RESOLVES || settings.POSTHORN_EGRESS_PROXY !== undefined) return
  const problem = 'leaves names to a proxy, and there is none; set POSTHORN_EGRESS_PROXY, or leave this out'
  throw new ConfigurationError([{ variable: 'POSTHORN_EGRESS_PROXY_RESOLVES', problem }])
}
