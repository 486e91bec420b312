// Sends records: an idempotent producer, and what arrives while it sends goes together next time.
//
// P1. Calls are sent in the order in which they came, one send at a time: order holds within a key.
// P2. A call is answered once all brokers that must have its records have them (acks=all).
// P3. After a send that failed, nobody knows what the brokers took. The next one goes through a new producer: with the
//     sequence numbers of the old one, other records could be taken for a repetition, and be dropped.
// P4. Records of one send fit into one message of the brokers, whatever partition they go to. One that alone is too large
//     is refused before anything of its call is sent.
import { type Kafka, type Message, Partitioners, type Producer } from 'kafkajs'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import { failureOf } from './failures.ts'

export interface WireRecord {
  /** On the brokers. */
  readonly topic: string
  readonly message: Message
  /** About what it weighs. */
  readonly bytes: number
}

export interface PublisherOptions {
  readonly client: Kafka
  /** Of one record, and of all that is sent together. */
  readonly bytesMax: number
}

export interface Publisher {
  /** @throws KafkaSetupError, RetryableError */
  connect(): Promise<void>
  /** Rejects with RetryableError when it is not known whether the records were stored, PoisonError when they never will be. */
  send(records: readonly WireRecord[]): Promise<void>
  /** Sends what waits, then ends. */
  close(): Promise<void>
}

interface Call {
  readonly done: () => void
  readonly fail: (error: Error) => void
  hasFailed: boolean
}

/** Records of one call that fit together (P4). */
interface Piece {
  readonly call: Call
  readonly records: readonly WireRecord[]
  readonly bytes: number
  readonly isLast: boolean
}

const ACKS_ALL = -1

export const publisher = (options: PublisherOptions): Publisher => new CoalescingPublisher(options)

class CoalescingPublisher implements Publisher {
  readonly #client: Kafka
  readonly #bytesMax: number
  readonly #waiting: Piece[] = []
  #producer: Producer | undefined
  #sending: Promise<void> | undefined
  #isClosed = false

  constructor({ client, bytesMax }: PublisherOptions) {
    this.#client = client
    this.#bytesMax = bytesMax
  }

  async connect(): Promise<void> {
    try {
      await this.#connected()
    } catch (error) {
      throw failureOf(error, 'be reached')
    }
  }

  async send(records: readonly WireRecord[]): Promise<void> {
    if (this.#isClosed) throw new RetryableError('the bus is closed')
    if (records.length === 0) return
    const pieces = piecesOf(records, this.#bytesMax)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const call: Call = { done: resolve, fail: reject, hasFailed: false }
    for (const [index, piece] of pieces.entries())
      this.#waiting.push({ call, ...piece, isLast: index === pieces.length - 1 })
    this.#sending ??= this.#pump()
    await promise
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#sending
    await this.#producer?.disconnect()
    this.#producer = undefined
  }

  async #connected(): Promise<Producer> {
    if (this.#producer !== undefined) return this.#producer
    const next = this.#client.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    try {
      await next.connect()
    } catch (error) {
      await next.disconnect().catch(() => undefined)
      throw error
    }
    this.#producer = next
    return next
  }

  async #pump(): Promise<void> {
    // One turn: calls that are made together go together.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const pieces = this.#nextPieces()
      if (pieces.length > 0) await this.#sendPieces(pieces)
    }
    this.#sending = undefined
  }

  /** What fits into one send. The next piece of a call waits until the one before is stored (P1). */
  #nextPieces(): readonly Piece[] {
    const pieces: Piece[] = []
    let bytes = 0
    for (let piece = this.#waiting[0]; piece !== undefined; piece = this.#waiting[0]) {
      bytes += piece.bytes
      if (pieces.length > 0 && bytes > this.#bytesMax) break
      this.#waiting.shift()
      if (!piece.call.hasFailed) pieces.push(piece)
      if (!piece.isLast) break
    }
    return pieces
  }

  async #sendPieces(pieces: readonly Piece[]): Promise<void> {
    try {
      const producer = await this.#connected()
      await producer.sendBatch({ acks: ACKS_ALL, topicMessages: byTopic(pieces) })
    } catch (error) {
      this.#dropProducer()
      const failure = failureOf(error, 'store events')
      // One that is refused for good must not take down those that only went with it.
      if (failure instanceof PoisonError && pieces.length > 1) {
        for (const piece of pieces) await this.#sendPieces([piece])
        return
      }
      for (const { call } of pieces) {
        call.hasFailed = true
        call.fail(failure)
      }
      return
    }
    for (const { call, isLast } of pieces) if (isLast) call.done()
  }

  /** P3 */
  #dropProducer(): void {
    void this.#producer?.disconnect().catch(() => undefined)
    this.#producer = undefined
  }
}

/** P4 */
function piecesOf(
  records: readonly WireRecord[],
  bytesMax: number,
): readonly { readonly records: readonly WireRecord[]; readonly bytes: number }[] {
  const pieces: { records: WireRecord[]; bytes: number }[] = []
  for (const record of records) {
    if (record.bytes > bytesMax) {
      throw new PoisonError(
        `a record for ${record.topic} has ${record.bytes} bytes, JTS_KAFKA_MESSAGE_BYTES_MAX allows ${bytesMax}`,
      )
    }
    const last = pieces.at(-1)
    if (last === undefined || last.bytes + record.bytes > bytesMax)
      pieces.push({ records: [record], bytes: record.bytes })
    else {
      last.records.push(record)
      last.bytes += record.bytes
    }
  }
  return pieces
}

function byTopic(pieces: readonly Piece[]): { topic: string; messages: Message[] }[] {
  const topics = new Map<string, Message[]>()
  for (const { records } of pieces) {
    for (const { topic, message } of records) {
      const messages = topics.get(topic)
      if (messages === undefined) topics.set(topic, [message])
      else messages.push(message)
    }
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }))
}
