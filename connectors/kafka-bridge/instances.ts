// The instances of one function, and which of them serves a partition.
//
// I1. A partition is served by the same instance for as long as that one answers. Partitions are dealt out in turn, so
//     all instances have as many, and by their number alone: a key that has the same partition in two topics has the same
//     instance in both.
// I2. An instance that is away rests, longer each time. Its partitions are spread over the others by rendezvous hashing,
//     which moves no partition that need not move. When all rest, the first is asked anyway.
// I3. A host name that cannot be resolved leaves the instances as they were.
import { type LookupAddress } from 'node:dns'
import type { Stopwatch } from '#shared/ports/clock.ts'
import { type Backoff, backoffOf } from '#shared/runtime/backoff.ts'
import type { Place } from './http-client.ts'

export interface Instances {
  /** Those that may be asked, in the order of preference; never empty. */
  forPartition(partition: number): readonly Place[]
  works(place: Place): void
  /** It is not there; `afterMs` is how long it asked to be left alone. */
  rests(place: Place, afterMs?: number): void
  /** Looks up addresses again, where each address is an instance. */
  refresh(): Promise<void>
  count(): { readonly all: number; readonly resting: number }
}

export type Lookup = (hostname: string) => Promise<readonly Pick<LookupAddress, 'address'>[]>

export interface InstancesOptions {
  readonly urls: readonly string[]
  readonly stopwatch: Stopwatch
  readonly random: () => number
  /** Makes every address of a name an instance. Absent: a URL is one instance. */
  readonly lookup?: Lookup
  readonly onUnresolved?: (hostname: string, error: unknown) => void
}

/** How long an instance rests after it was found to be away. */
const REST = { baseMs: 100, maxMs: 5_000 }

interface Rest {
  readonly backoff: Backoff
  untilMs: number
}

export function instancesOf(options: InstancesOptions): Instances {
  const { urls, stopwatch, random, lookup } = options
  let places: readonly Place[] = urls.map((url) => placeOf(url))
  let orders = new Map<number, readonly Place[]>()
  const rests = new Map<string, Rest>()

  const orderFor = (partition: number): readonly Place[] => {
    let order = orders.get(partition)
    if (order === undefined) {
      order = orderOf(places, partition)
      orders.set(partition, order)
    }
    return order
  }
  const isResting = (place: Place): boolean =>
    (rests.get(idOf(place))?.untilMs ?? -Infinity) > stopwatch.elapsedMs()

  return {
    forPartition(partition) {
      const order = orderFor(partition)
      const awake = order.filter((place) => !isResting(place))
      return awake.length > 0 ? awake : order.slice(0, 1)
    },
    works: (place) => void rests.delete(idOf(place)),
    rests(place, afterMs = 0) {
      const rest = rests.get(idOf(place)) ?? { backoff: backoffOf(REST, random), untilMs: 0 }
      rest.untilMs = stopwatch.elapsedMs() + Math.max(rest.backoff.nextMs(), afterMs)
      rests.set(idOf(place), rest)
    },
    async refresh() {
      if (lookup === undefined) return
      const found = await Promise.all(urls.map((url) => resolved(url, lookup, options.onUnresolved)))
      if (found.includes(undefined)) return
      const next = found.flatMap((each) => each ?? [])
      if (next.map(idOf).join() === places.map(idOf).join()) return
      places = next
      orders = new Map()
    },
    count: () => ({ all: places.length, resting: places.filter(isResting).length }),
  }
}

const idOf = ({ host, port, path }: Place): string => `${host}:${port}${path}`

/** @throws TypeError when it is no URL. */
export function placeOf(text: string): Place {
  const url = new URL(text)
  const isTls = url.protocol === 'https:'
  return {
    isTls,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port === '' ? (isTls ? 443 : 80) : url.port),
    path: `${url.pathname}${url.search}`,
    authority: url.host,
  }
}

/** In a fixed order, so that nothing moves when nothing has changed. */
async function resolved(
  url: string,
  lookup: Lookup,
  onUnresolved: InstancesOptions['onUnresolved'],
): Promise<readonly Place[] | undefined> {
  const place = placeOf(url)
  try {
    const addresses = await lookup(place.host)
    const hosts = [...new Set(addresses.map(({ address }) => address))].toSorted()
    return hosts.length === 0 ? undefined : hosts.map((host) => ({ ...place, host }))
  } catch (error) {
    onUnresolved?.(place.host, error)
    return undefined
  }
}

function orderOf(places: readonly Place[], partition: number): readonly Place[] {
  const first = places[partition % places.length]
  const others = places
    .filter((place) => place !== first)
    .toSorted((left, right) => weightOf(right, partition) - weightOf(left, partition))
  return first === undefined ? others : [first, ...others]
}

/** FNV-1a with a final mix, 32 bits: the highest weight wins. */
function weightOf(place: Place, partition: number): number {
  let hash = 0x81_1c_9d_c5
  const text = `${idOf(place)}#${partition}`
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01_00_01_93)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35)
  return (hash ^ (hash >>> 16)) >>> 0
}
