// One websocket session with KIS, from the dial to its end.
//
// W1. Registrations go one after another, each waiting for its answer; the newest answer's AES key is the key of its
//     channel (pitfall 6). Keys die with the session.
// W2. Heartbeats are answered with their own text in a pong, as KIS's samples do. The library's own ping stays off: KIS
//     does not answer control pings reliably (pitfall 4). A session without any frame for `silenceMs` is dead.
// W3. A frame is handed on, or reported as unreadable, or belongs to another account and is counted. None is dropped.
// W4. The session ends once, with the first reason.
import { WebSocket } from 'ws'
import type { StreamMessage } from '#shared/ports/broker-stream.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import { type AesKey, type Inbound, decrypted, firstInstrumentOf, inboundOf } from './frames.ts'
import { reasonOf } from './http.ts'
import type { NoticeReader } from './notices.ts'
import { type AckMeaning, type Registration, commandOf, meaningOf } from './registrations.ts'
import { abortable, withDeadline } from './token.ts'
import { BOOK_CHANNEL, TRADE_CHANNEL } from './tr-ids.ts'

/** Why a session ended, before it is known whether it had been live. */
export interface SessionEnd {
  readonly kind: 'lost' | 'busy' | 'refused' | 'staleApproval' | 'closed'
  readonly reason: string
}

export interface SessionOptions {
  readonly url: string
  readonly approval: string
  readonly noticeChannel: string
  readonly notices: NoticeReader
  readonly clock: Clock
  readonly stopwatch: Stopwatch
  readonly silenceMs: number
  readonly onMessage: (message: StreamMessage) => void
  readonly onDataFrame: () => void
  readonly onOtherAccount: () => void
}

export class SessionEndedError extends Error {
  override name = 'SessionEndedError'
}

type Ack = Extract<Inbound, { kind: 'ack' }>
type Data = Extract<Inbound, { kind: 'data' }>

const DIAL_MS_MAX = 10_000
const ACK_MS_MAX = 5_000
const CLOSE_MS_MAX = 1_000
const FRAME_BYTES_MAX = 1_048_576
const PONG_BYTES_MAX = 125

export class Session {
  readonly #options: SessionOptions
  readonly #socket: WebSocket
  readonly #over = Promise.withResolvers<SessionEnd>()
  readonly #stopped = new AbortController()
  readonly #keys = new Map<string, AesKey>()
  #awaited: { readonly registration: Registration; readonly resolve: (ack: Ack) => void } | undefined
  #inboundMs: number
  #isPaused = false

  /** Dials at once. */
  constructor(options: SessionOptions) {
    this.#options = options
    this.#inboundMs = options.stopwatch.elapsedMs()
    this.#socket = new WebSocket(options.url, {
      perMessageDeflate: false,
      handshakeTimeout: DIAL_MS_MAX,
      maxPayload: FRAME_BYTES_MAX,
    })
    this.#socket.on('message', (bytes: Buffer) => {
      this.#heard()
      if (!this.#stopped.signal.aborted) this.#onFrame(bytes.toString('utf8'))
    })
    this.#socket.on('ping', () => this.#heard())
    this.#socket.on('error', (error) => this.#lose(reasonOf(error)))
    this.#socket.on('close', (code, reason) =>
      this.#lose(`closed with code ${code} ${reason.toString()}`.trim()),
    )
  }

  get ended(): Promise<SessionEnd> {
    return this.#over.promise
  }

  /** Resolves when everything is registered; rejects with `SessionEndedError` when the session ended before. */
  async open(registrations: readonly Registration[]): Promise<void> {
    await opened(this.#socket, this.#stopped.signal)
    void this.#watch()
    for (const registration of registrations) await this.#register(registration)
  }

  end(end: SessionEnd): void {
    if (this.#stopped.signal.aborted) return // W4
    this.#stopped.abort(new SessionEndedError(end.reason))
    this.#over.resolve(end)
    void hangUp(this.#socket, this.#options.stopwatch)
  }

  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#heard()
    this.#socket.resume()
  }

  #lose(reason: string): void {
    this.end({ kind: 'lost', reason })
  }

  #heard(): void {
    this.#inboundMs = this.#options.stopwatch.elapsedMs()
  }

  #unreadable(frame: string, reason: string): void {
    this.#options.onMessage({ kind: 'unreadable', frame, reason })
  }

  #onFrame(text: string): void {
    const inbound = inboundOf(text)
    switch (inbound.kind) {
      case 'heartbeat':
        if (Buffer.byteLength(text) <= PONG_BYTES_MAX) this.#socket.pong(text)
        else this.#socket.send(text)
        return
      case 'ack':
        this.#onAck(inbound)
        return
      case 'unreadable':
        this.#unreadable(text, inbound.reason)
        return
      case 'data':
        this.#options.onDataFrame()
        if (inbound.channel === this.#options.noticeChannel) this.#onNotices(text, inbound)
        else this.#onMarket(text, inbound)
    }
  }

  #onAck(ack: Ack): void {
    if (ack.aes !== undefined && ack.channel !== undefined) this.#keys.set(ack.channel, ack.aes) // W1
    const awaited = this.#awaited
    if (awaited !== undefined && answers(ack, awaited.registration)) {
      awaited.resolve(ack)
      return
    }
    const meaning = meaningOf(ack)
    const reason = `${ack.code} ${ack.message}`
    if (meaning === 'busy' || meaning === 'staleApproval') this.end({ kind: meaning, reason })
    else if (!ack.succeeded) this.#unreadable(reason, 'an error that answers nothing we asked')
  }

  #onMarket(text: string, data: Data): void {
    const isMarket = data.channel === TRADE_CHANNEL || data.channel === BOOK_CHANNEL
    const instrumentId = isMarket && !data.isEncrypted ? firstInstrumentOf(data.payload) : undefined
    if (instrumentId === undefined) {
      this.#unreadable(
        text,
        isMarket ? `${data.channel} without a symbol` : `${data.channel} is no channel of ours`,
      )
    } else {
      this.#options.onMessage({ kind: 'market', channel: data.channel, instrumentId, frame: text })
    }
  }

  #onNotices(frame: string, data: Data): void {
    const key = this.#keys.get(data.channel)
    const plain = data.isEncrypted ? key && decrypted(data.payload, key) : data.payload
    if (plain === undefined) {
      this.#unreadable(
        frame,
        key === undefined ? 'a notice came before its key' : 'a notice does not decrypt',
      )
      return
    }
    for (const result of this.#options.notices.read(plain, data.count, this.#options.clock.now())) {
      if (result.kind === 'report') this.#options.onMessage({ kind: 'execution', report: result.report })
      else if (result.kind === 'unreadable') this.#unreadable(frame, result.reason)
      else if (result.otherAccount) this.#options.onOtherAccount()
    }
  }

  async #register(registration: Registration): Promise<void> {
    const needsKey = registration.channel === this.#options.noticeChannel
    const ack = await this.#exchange(registration, 'add')
    const meaning = meaningOf(ack)
    if (meaning === 'registered' || meaning === 'alreadyRegistered') {
      if (!needsKey || this.#keys.has(registration.channel)) return
      // OPSP0002 brings no key (pitfall 6): give the registration up and ask anew, once.
      await this.#exchange(registration, 'remove')
      const again = await this.#exchange(registration, 'add')
      if (meaningOf(again) === 'registered' && this.#keys.has(registration.channel)) return
      this.#lose(`${registration.channel} was registered without a key`)
    } else {
      this.end({ kind: endKindOf(meaning), reason: `${registration.channel}: ${ack.code} ${ack.message}` })
    }
    this.#stopped.signal.throwIfAborted()
  }

  /** One command and its answer. */
  async #exchange(registration: Registration, kind: 'add' | 'remove'): Promise<Ack> {
    const stopped = this.#stopped.signal
    stopped.throwIfAborted()
    const { promise, resolve } = Promise.withResolvers<Ack>()
    this.#awaited = { registration, resolve }
    this.#socket.send(commandOf(this.#options.approval, registration, kind))
    try {
      return await withDeadline(this.#options.stopwatch, ACK_MS_MAX, stopped, (deadline) => {
        const late = `no answer to ${registration.channel} in ${ACK_MS_MAX} ms`
        // It also aborts when the session ends; then that end has its own reason.
        deadline.addEventListener('abort', () => (stopped.aborted ? undefined : this.#lose(late)), {
          once: true,
        })
        return abortable(promise, stopped)
      })
    } finally {
      this.#awaited = undefined
    }
  }

  /** W2 */
  async #watch(): Promise<void> {
    const { silenceMs, stopwatch } = this.#options
    const silentMs = (): number => (this.#isPaused ? 0 : stopwatch.elapsedMs() - this.#inboundMs)
    try {
      for (let leftMs = silenceMs; leftMs > 0; leftMs = silenceMs - silentMs()) {
        await stopwatch.sleep(leftMs, this.#stopped.signal)
      }
    } catch {
      return // the session is over
    }
    this.#lose(`nothing heard for ${silenceMs} ms`)
  }
}

const answers = (ack: Ack, registration: Registration): boolean =>
  (ack.channel === undefined || ack.channel === registration.channel) &&
  (ack.key === undefined || ack.key === registration.key)

function endKindOf(meaning: AckMeaning): SessionEnd['kind'] {
  if (meaning === 'busy' || meaning === 'refused' || meaning === 'staleApproval') return meaning
  return 'lost'
}

function opened(socket: WebSocket, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stopped.aborted) reject(stopped.reason)
    stopped.addEventListener('abort', () => reject(stopped.reason), { once: true })
    socket.once('open', resolve)
  })
}

/** A clean close frees KIS's slot for this key at once; a far side that does not answer is not waited for. */
async function hangUp(socket: WebSocket, stopwatch: Stopwatch): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return
  const closed = new AbortController()
  socket.once('close', () => closed.abort())
  if (socket.readyState === WebSocket.OPEN) socket.resume()
  if (socket.readyState === WebSocket.CONNECTING) socket.terminate()
  else socket.close(1000)
  await stopwatch.sleep(CLOSE_MS_MAX, closed.signal).catch(() => undefined)
  if (!closed.signal.aborted) socket.terminate()
}
