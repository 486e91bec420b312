// Structured logs: one JSON object a line. A message is a constant sentence; what varies goes into the fields.
import { type DestinationStream, pino } from 'pino'

export type LogFields = Readonly<Record<string, unknown>>

export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  /** Somebody must come: the process is about to end, or money stands still. */
  fatal(fields: LogFields, message: string): void
  /** A log that adds these fields to every line. */
  child(fields: LogFields): Log
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Fields that never reach a log, wherever in the first three levels they stand. */
const SECRET_NAMES = [
  'appkey',
  'appsecret',
  'appKey',
  'appSecret',
  'approvalKey',
  'approval_key',
  'authorization',
  'cookie',
  'password',
  'secret',
  'secretkey',
  'token',
  'access_token',
  'accessToken',
  'apiKey',
]

const REDACTED = {
  paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
  censor: '[redacted]',
}

/** Errors stand under `error`, with cause and stack. Writes to standard output unless told otherwise. */
export function createLog(name: string, level: LogLevel = 'info', destination?: DestinationStream): Log {
  const options = {
    name,
    level,
    base: { name },
    errorKey: 'error',
    messageKey: 'message',
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: isoTime,
    redact: REDACTED,
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

const isoTime = pino.stdTimeFunctions.isoTime

/** For tests and tools that have nowhere to write. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  fatal: () => undefined,
  child: () => silentLog,
}

/** Trace ids of an event, for `log.child`: what a log store joins lines by. */
export function traceFields(event: {
  readonly id: string
  readonly type: string
  readonly correlationid?: string | undefined
  readonly traceparent?: string | undefined
}): LogFields {
  const [, traceId, spanId] = event.traceparent?.split('-') ?? []
  return {
    eventId: event.id,
    eventType: event.type,
    correlationId: event.correlationid,
    ...(traceId === undefined ? {} : { traceId, spanId }),
  }
}
