// A CloudEvent 1.0 as it came over a wire, before anybody asked whether it is one of ours.

/** Any event. JTS events (`Event`) are the ones that have every attribute which is optional here. */
export interface CloudEvent {
  readonly specversion: '1.0'
  readonly id: string
  /** URI-reference. With `id` it identifies the event. */
  readonly source: string
  readonly type: string
  readonly subject?: string | undefined
  /** RFC 3339, as written by the sender. */
  readonly time?: string | undefined
  readonly datacontenttype?: string | undefined
  readonly dataschema?: string | undefined
  readonly partitionkey?: string | undefined
  readonly correlationid?: string | undefined
  readonly causationid?: string | undefined
  readonly traceparent?: string | undefined
  readonly tracestate?: string | undefined
  /** A JSON value; text for other text types; bytes for the rest; absent where there is none. */
  readonly data?: unknown
}

/** Something wrong with a message, and where. */
export interface Fault {
  /** JSON pointer into the body (`/time`, `/3/id`), or the name of a header (`ce-time`). Empty: the whole message. */
  readonly pointer: string
  /** For a person; no program parses it. */
  readonly detail: string
}

export interface DecodeLimits {
  /** Characters of one attribute value. */
  readonly attributeLengthMax: number
  /** Attributes of one event. */
  readonly attributesMax: number
  /** Events in one batch. */
  readonly batchMax: number
}

export const DECODE_LIMITS: DecodeLimits = { attributeLengthMax: 4096, attributesMax: 100, batchMax: 1000 }
