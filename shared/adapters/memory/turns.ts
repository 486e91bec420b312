// Runs what is ready within this turn of the event loop, so that an event reaches its handler in microseconds, but lets
// timers and sockets have their turn after every UNITS_PER_TURN units of work: a long burst must not freeze the process.
// The count, not a clock, decides: the order in which things run is then the same in every run of a replay.
//
// Between two pieces of work all promises that are ready go on, and sockets that were given something write it: whoever was
// woken first gets as far as its first wait for a disk or a far side before the next one starts.
//
// Background work waits until nothing else is ready: an order moves on before it is archived. It is never starved: one
// piece of it goes first in every turn of the event loop.

/** Records handed out, or heartbeats, between two turns of the event loop. */
const UNITS_PER_TURN = 64
/** What was run is let go of in pieces of this many. */
const TRIM_MIN = 1024

export interface Turns {
  /** Runs `work` soon, after what was asked for before it. `units` is about how many records it stands for. */
  enqueue(work: () => number, isBackground: boolean): void
  /** Spends a unit; resolves at once, or on the next turn of the event loop when this one is used up. */
  readonly breathe: () => Promise<void>
  waiting(): number
}

type Work = () => number

/** First in, first out. */
function line() {
  const works: Work[] = []
  let head = 0
  return {
    push: (work: Work): void => void works.push(work),
    waiting: (): number => works.length - head,
    shift(): Work | undefined {
      const work = works[head]
      if (work === undefined) return undefined
      head += 1
      if (head === works.length || head === TRIM_MIN) {
        works.splice(0, head)
        head = 0
      }
      return work
    },
  }
}

const AT_ONCE = Promise.resolve()

export function turns(): Turns {
  const foreground = line()
  const background = line()
  let isBackgroundDue = false
  let isScheduled = false
  let unitsLeft = UNITS_PER_TURN
  let nextTurn: Promise<void> | undefined

  /** Shared by all that wait for it. */
  const turn = (): Promise<void> =>
    (nextTurn ??= new Promise((resolve) => {
      setImmediate(() => {
        nextTurn = undefined
        unitsLeft = UNITS_PER_TURN
        isBackgroundDue = true
        resolve()
      })
    }))

  const next = (): Work | undefined => {
    const due = isBackgroundDue ? background.shift() : undefined
    isBackgroundDue = false
    return due ?? foreground.shift() ?? background.shift()
  }

  const step = (): void => {
    if (unitsLeft <= 0) {
      void turn().then(step)
      return
    }
    const work = next()
    if (work === undefined) {
      isScheduled = false
      return
    }
    unitsLeft -= work()
    queueMicrotask(afterPromises)
  }
  // Node runs what is due next before it runs promises, and sockets write as what is due next: hence step comes after both.
  const afterWrites = (): void => process.nextTick(step)
  const afterPromises = (): void => process.nextTick(afterWrites)

  return {
    enqueue(work, isBackground) {
      if (isBackground) background.push(work)
      else foreground.push(work)
      if (isScheduled) return
      isScheduled = true
      queueMicrotask(afterPromises)
    },
    breathe() {
      unitsLeft -= 1
      return unitsLeft > 0 ? AT_ONCE : turn()
    },
    waiting: () => foreground.waiting() + background.waiting(),
  }
}
