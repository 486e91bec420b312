// Streaming indicators over closes. Doubles, for statistics only: nothing here goes back into money.
//
// N1. An indicator is a plain object: JSON out and in again, it goes on as if nothing had happened.
// N2. An update allocates nothing and takes the same time whatever came before.
// N3. No drift: a window's sum is taken anew each time the window has turned over once.

interface Running {
  /** Bars that it looks back over. */
  readonly length: number
  /** Closes taken so far. */
  count: number
  /** 0 until there were enough closes. */
  value: number
  /** The value before the last close. */
  previous: number
}

/** Mean of the last `length` closes. */
export interface Sma extends Running {
  readonly kind: 'sma'
  readonly window: number[]
  next: number
  sum: number
}

/** Exponential mean with weight 2 ÷ (length + 1), seeded with the mean of the first `length` closes. */
export interface Ema extends Running {
  readonly kind: 'ema'
  sum: number
}

/**
 * Wilder's relative strength index, 0 to 100: seeded with the mean gain and loss of the first `length` changes, then
 * smoothed with weight 1 ÷ length. 50 where no price moved.
 */
export interface Rsi extends Running {
  readonly kind: 'rsi'
  lastClose: number
  gain: number
  loss: number
}

export type Indicator = Sma | Ema | Rsi

const atLeastOne = (length: number): number => {
  if (!Number.isInteger(length) || length < 1)
    throw new RangeError(`length must be a whole number above zero: ${length}`)
  return length
}

export const sma = (length: number): Sma => ({
  kind: 'sma',
  length: atLeastOne(length),
  count: 0,
  value: 0,
  previous: 0,
  window: Array.from({ length }, () => 0),
  next: 0,
  sum: 0,
})
export const ema = (length: number): Ema => ({
  kind: 'ema',
  length: atLeastOne(length),
  count: 0,
  value: 0,
  previous: 0,
  sum: 0,
})
export const rsi = (length: number): Rsi => ({
  kind: 'rsi',
  length: atLeastOne(length),
  count: 0,
  value: 0,
  previous: 0,
  lastClose: 0,
  gain: 0,
  loss: 0,
})

/** Closes that it takes until `value` means something. */
export const closesNeeded = ({ kind, length }: Indicator): number => (kind === 'rsi' ? length + 1 : length)

export const isReady = (indicator: Indicator): boolean => indicator.count >= closesNeeded(indicator)

function feedSma(state: Sma, close: number): void {
  const { window, length } = state
  state.sum += close - (window[state.next] ?? 0)
  window[state.next] = close
  state.next += 1
  if (state.next === length) {
    state.next = 0
    let sum = 0
    for (let index = 0; index < length; index += 1) sum += window[index] ?? 0
    state.sum = sum // N3
  }
  if (state.count >= length) state.value = state.sum / length
}

function feedEma(state: Ema, close: number): void {
  const { length, count } = state
  if (count <= length) {
    state.sum += close
    if (count === length) state.value = state.sum / length
    return
  }
  state.value += (close - state.value) * (2 / (length + 1))
}

function feedRsi(state: Rsi, close: number): void {
  const { length, count } = state
  const change = close - state.lastClose
  state.lastClose = close
  if (count === 1) return
  const gain = change > 0 ? change : 0
  const loss = change < 0 ? -change : 0
  if (count <= length + 1) {
    state.gain += gain / length
    state.loss += loss / length
    if (count <= length) return
  } else {
    state.gain += (gain - state.gain) / length
    state.loss += (loss - state.loss) / length
  }
  const moved = state.gain + state.loss
  state.value = moved === 0 ? 50 : (100 * state.gain) / moved
}

/** Takes one close. Changes the indicator in place (N2). */
export function feed(indicator: Indicator, close: number): void {
  indicator.previous = indicator.value
  indicator.count += 1
  switch (indicator.kind) {
    case 'sma':
      feedSma(indicator, close)
      break
    case 'ema':
      feedEma(indicator, close)
      break
    case 'rsi':
      feedRsi(indicator, close)
      break
  }
}

type Line = Indicator | number
const now = (line: Line): number => (typeof line === 'number' ? line : line.value)
const before = (line: Line): number => (typeof line === 'number' ? line : line.previous)
/** Both its value and the one before mean something. */
const isSettled = (line: Line): boolean => typeof line === 'number' || line.count > closesNeeded(line)

/** True on the close with which `line` came to stand above `other`, having been at or below it. */
export const crossedAbove = (line: Line, other: Line): boolean =>
  isSettled(line) && isSettled(other) && before(line) <= before(other) && now(line) > now(other)

/** True on the close with which `line` came to stand below `other`, having been at or above it. */
export const crossedBelow = (line: Line, other: Line): boolean =>
  isSettled(line) && isSettled(other) && before(line) >= before(other) && now(line) < now(other)
