// The websocket protocol without a socket (reference §8): sessions, registrations, acknowledgements, and who gets what.
//
// W1. An app key has one session. Its slot stays taken for `lingerMs` after the session ended.
// W2. A session has at most 41 registrations, all channels together.
// W3. Every successful subscription is acknowledged with a new key and iv for its TR; the newest one encrypts.
// W4. A data frame counts as sent when it was handed to the socket of a session that was open then.
import type { CustomerAccount, Customers, RandomBytes } from '../customers.ts'
import type { Profile } from '../rest/reply.ts'
import { BOOK, TRADES } from './frames.ts'
import { type CipherKey, NOTICES } from './notices.ts'

const REGISTRATIONS_MAX = 41

/** The socket of one session. */
export interface Sink {
  /** False when the socket was not open: nothing was sent. */
  send(text: string): boolean
  /** Cuts the connection without a close frame. */
  destroy(): void
}

export interface StreamDeskOptions {
  readonly profile: Profile
  readonly customers: Customers
  readonly accounts: readonly CustomerAccount[]
  readonly randomBytes: RandomBytes
  readonly elapsedMs: () => number
  /** How long the slot of an ended session stays taken, process time. */
  readonly lingerMs: number
}

interface Registration {
  readonly trId: string
  readonly trKey: string
}

const registrationKey = (trId: string, trKey: string): string => `${trId} ${trKey}`

export class StreamSession {
  readonly sink: Sink
  appKey: string | undefined
  readonly registrations = new Map<string, Registration>()
  readonly cipherKeys = new Map<string, CipherKey>()

  constructor(sink: Sink) {
    this.sink = sink
  }
}

interface Command {
  readonly approvalKey: string
  readonly type: string
  readonly trId: string
  readonly trKey: string
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const objectOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

export class StreamDesk {
  readonly #options: StreamDeskOptions
  /** By app key. */
  readonly #slots = new Map<string, { session: StreamSession | undefined; freeAtMs: number }>()
  readonly #sessions = new Set<StreamSession>()
  readonly #listeners = new Map<string, Set<StreamSession>>()
  #framesSent = 0

  constructor(options: StreamDeskOptions) {
    this.#options = options
  }

  framesSent = (): number => this.#framesSent
  sessions = (): Iterable<StreamSession> => this.#sessions

  open(sink: Sink): StreamSession {
    const session = new StreamSession(sink)
    this.#sessions.add(session)
    return session
  }

  close(session: StreamSession): void {
    this.#sessions.delete(session)
    for (const { trId, trKey } of session.registrations.values()) this.#unlisten(session, trId, trKey)
    session.registrations.clear()
    const slot = session.appKey === undefined ? undefined : this.#slots.get(session.appKey)
    if (slot?.session !== session) return
    slot.session = undefined
    slot.freeAtMs = this.#options.elapsedMs() + this.#options.lingerMs
  }

  /** Anybody there for it? */
  hasListeners = (trId: string, trKey: string): boolean => this.#listeners.has(registrationKey(trId, trKey))

  /** Hands a data frame to every session registered for it. */
  publish(trId: string, trKey: string, frameFor: (session: StreamSession) => string | undefined): void {
    for (const session of this.#listeners.get(registrationKey(trId, trKey)) ?? []) {
      const frame = frameFor(session)
      if (frame !== undefined && session.sink.send(frame)) this.#framesSent += 1
    }
  }

  /** Answers a text of the client. A PINGPONG that comes back needs no answer. */
  receive(session: StreamSession, text: string): void {
    const message = parse(text)
    if (message === undefined) {
      this.#refuse(session, '(null)', '', '1', 'OPSP9999', 'JSON PARSING ERROR : invalid json')
      return
    }
    const header = objectOf(message['header'])
    if (header['tr_id'] === 'PINGPONG') return
    const input = objectOf(objectOf(message['body'])['input'])
    const command: Command = {
      approvalKey: textOf(header['approval_key']),
      type: textOf(header['tr_type']),
      trId: textOf(input['tr_id']),
      trKey: textOf(input['tr_key']),
    }
    if (!this.#admit(session, command)) return
    if (command.type === '1') this.#subscribe(session, command)
    else this.#unsubscribe(session, command)
  }

  #admit(session: StreamSession, command: Command): boolean {
    const { trId, trKey } = command
    const appKey = this.#options.customers.appKeyOf(command.approvalKey)
    if (appKey === undefined) {
      return this.#refuse(session, trId, trKey, '1', 'OPSP0011', 'invalid approval : NOT FOUND')
    }
    const slot = this.#slots.get(appKey)
    const isHeld = slot?.session !== undefined && slot.session !== session
    const lingers =
      slot?.session === undefined && slot !== undefined && this.#options.elapsedMs() < slot.freeAtMs
    if (isHeld || lingers || (session.appKey !== undefined && session.appKey !== appKey)) {
      return this.#refuse(session, trId, trKey, '9', 'OPSP8996', 'ALREADY IN USE appkey')
    }
    session.appKey = appKey
    this.#slots.set(appKey, { session, freeAtMs: 0 })
    if (command.type !== '1' && command.type !== '2') {
      return this.#refuse(session, trId, trKey, '1', 'OPSP8997', 'invalid tr_type')
    }
    if (![TRADES, BOOK, NOTICES[this.#options.profile]].includes(trId)) {
      return this.#refuse(session, trId, trKey, '1', 'OPSP8991', 'JSON PARSING ERROR : invalid tr_id')
    }
    return this.#admitKey(session, command)
  }

  #admitKey(session: StreamSession, { trId, trKey }: Command): boolean {
    if (trId === NOTICES[this.#options.profile]) {
      // An unknown HTS id ends in a socket without a close frame.
      if (this.#options.customers.hasHtsId(trKey)) return true
      session.sink.destroy()
      return false
    }
    if (/^Q?[0-9A-Z]{6}$/.test(trKey)) return true
    return this.#refuse(session, trId, trKey, '1', 'OPSP8992', 'JSON PARSING ERROR : invalid tr_key')
  }

  #subscribe(session: StreamSession, { trId, trKey }: Command): void {
    const key = registrationKey(trId, trKey)
    if (session.registrations.has(key)) {
      this.#refuse(session, trId, trKey, '1', 'OPSP0002', 'ALREADY IN SUBSCRIBE')
      return
    }
    if (session.registrations.size >= REGISTRATIONS_MAX) {
      this.#refuse(session, trId, trKey, '9', 'OPSP0008', 'MAX SUBSCRIBE OVER')
      return
    }
    session.registrations.set(key, { trId, trKey })
    const listeners = this.#listeners.get(key) ?? new Set()
    this.#listeners.set(key, listeners.add(session))
    const hex = (bytes: number): string => Buffer.from(this.#options.randomBytes(bytes)).toString('hex')
    const cipherKey = { iv: hex(8), key: hex(16) }
    session.cipherKeys.set(trId, cipherKey)
    this.#acknowledge(session, trId, trKey, 'OPSP0000', 'SUBSCRIBE SUCCESS', cipherKey)
  }

  #unsubscribe(session: StreamSession, { trId, trKey }: Command): void {
    if (!session.registrations.delete(registrationKey(trId, trKey))) {
      this.#refuse(session, trId, trKey, '1', 'OPSP0003', 'UNSUBSCRIBE ERROR(not found!)')
      return
    }
    this.#unlisten(session, trId, trKey)
    this.#acknowledge(session, trId, trKey, 'OPSP0001', 'UNSUBSCRIBE SUCCESS', session.cipherKeys.get(trId))
  }

  #unlisten(session: StreamSession, trId: string, trKey: string): void {
    const key = registrationKey(trId, trKey)
    const listeners = this.#listeners.get(key)
    listeners?.delete(session)
    if (listeners?.size === 0) this.#listeners.delete(key)
  }

  #acknowledge(
    session: StreamSession,
    trId: string,
    trKey: string,
    code: string,
    text: string,
    output: CipherKey | undefined,
  ): void {
    const body = { rt_cd: '0', msg_cd: code, msg1: text, ...(output === undefined ? {} : { output }) }
    session.sink.send(JSON.stringify({ header: { tr_id: trId, tr_key: trKey, encrypt: 'N' }, body }))
  }

  #refuse(
    session: StreamSession,
    trId: string,
    trKey: string,
    returnCode: string,
    code: string,
    text: string,
  ): false {
    const header = { tr_id: trId === '' ? '(null)' : trId, tr_key: trKey, encrypt: 'N' }
    session.sink.send(JSON.stringify({ header, body: { rt_cd: returnCode, msg_cd: code, msg1: text } }))
    return false
  }
}
