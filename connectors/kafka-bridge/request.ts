// What goes to a function in one request.
import type { Event } from '#shared/events/contract.ts'
import type { BusRecord } from '#shared/ports/event-bus.ts'
import { BATCH_TYPE, type HttpMessage, binaryMessage } from '#shared/runtime/cloudevents/http-encode.ts'
import { encodeEvent } from '#shared/runtime/cloudevents/json-format.ts'

/** How much goes into one request. */
export interface Portion {
  readonly events: number
  /** Of the body; one event goes however large it is. */
  readonly bytes: number
}

export interface Parcel {
  /** What the function consumes of the records. Empty: nothing is sent. */
  readonly events: readonly Event[]
  /** Where each event stands, counted from the first record. */
  readonly places: readonly number[]
  /** Records that are done with when the events are: what nobody consumes is passed over. */
  readonly through: number
  readonly message: HttpMessage
}

/** Packs records from index `at` on. A single event goes in binary mode, which every function understands. */
export function parcelOf(
  records: readonly BusRecord[],
  at: number,
  consumed: ReadonlySet<string>,
  portion: Portion,
): Parcel {
  const events: Event[] = []
  const places: number[] = []
  const texts: string[] = []
  let bytes = 1
  let next = at
  for (; next < records.length; next += 1) {
    const event = records[next]?.event
    if (event === undefined || !consumed.has(event.type)) continue
    if (events.length === portion.events) break
    const text = encodeEvent(event)
    // Three bytes a character are the most there can be: usually they fit, and nothing need be counted.
    let size = text.length * 3 + 1
    if (bytes + size > portion.bytes) size = Buffer.byteLength(text) + 1
    if (events.length > 0 && bytes + size > portion.bytes) break
    bytes += size
    events.push(event)
    places.push(next - at)
    texts.push(text)
  }
  const [only] = events
  const message =
    events.length === 1 && only !== undefined
      ? binaryMessage(only)
      : { headers: { 'content-type': BATCH_TYPE }, body: Buffer.from(`[${texts.join(',')}]`) }
  return { events, places, through: next - at, message }
}
