// The broker's memory on disk: one append-only file of JSON lines.
//
// J1. A line is written by one system call before anybody is told what it says: no acknowledgement, no notice, no frame
//     leaves for something that a killed process would have forgotten.
// J2. A line holds whole rows and the tape position of one step, so it applies whole or not at all, and applying it twice
//     changes nothing. A last line without its end is a step that nobody was told of: it is dropped.
// J3. The file begins with everything remembered so far. It is rewritten at start and when a session opens, beside the
//     old one and then renamed over it.
// J4. What our orders have taken of displayed levels (matching M2) is not kept: after a restart they are displayed whole.
// J5. The data reaches the kernel, not the disk: it survives the death of the process, not that of the machine.
// J6. What could not be written may lie there in part, and the memory of this process is ahead of the file: nothing is
//     written after it and nobody is served any more. A new start goes on from what the file holds.
import { closeSync, existsSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { BrokerAccount, Holding } from '#shared/simulation/broker-account.ts'
import type { ExchangeMemory, Step } from '#shared/simulation/exchange.ts'
import type { VenueOrder } from '#shared/simulation/venue-order.ts'
import type { TapeMemory, TapePosition } from './tape.ts'

export interface Memory {
  readonly exchange: ExchangeMemory
  readonly tape: TapeMemory
}

type AccountLine = Omit<BrokerAccount, 'holdings'> & {
  readonly holdings: readonly (readonly [InstrumentId, Holding])[]
}

interface WholeLine {
  readonly whole: { readonly lastOrderNumber: number; readonly tape: TapeMemory }
  readonly orders: readonly VenueOrder[]
  readonly accounts: readonly AccountLine[]
}

interface StepLine {
  readonly at: TapePosition['index']
  readonly orders?: readonly VenueOrder[]
  readonly accounts?: readonly AccountLine[]
}

/** The file is not a journal of this program, or cannot be written. */
export class JournalError extends Error {
  override name = 'JournalError'
}

export interface Journal {
  /** What the file held when it was opened; `undefined` when there was none. */
  readonly remembered: Memory | undefined
  /** Why nothing can be written any more (J6); resolves then, and never otherwise. */
  readonly failed: Promise<JournalError>
  /** @throws JournalError once `failed`. */
  check(): void
  /** The step's rows and the position after it (J1). */
  append(step: Step, index: number): void
  /** Only the position. */
  mark(index: number): void
  /** Begins the file anew with this (J3). */
  rewrite(memory: Memory): void
  close(): void
}

/** Keeps nothing. */
export const noJournal: Journal = {
  remembered: undefined,
  failed: new Promise(() => undefined),
  check: () => undefined,
  append: () => undefined,
  mark: () => undefined,
  rewrite: () => undefined,
  close: () => undefined,
}

/** @throws JournalError when the file cannot be understood. */
export function openJournal(path: string): Journal {
  const remembered = existsSync(path) ? read(path) : undefined
  const { promise: failed, resolve: fail } = Promise.withResolvers<JournalError>()
  let failure: JournalError | undefined
  let file: number | undefined
  const check = (): void => {
    if (failure !== undefined) throw failure
  }
  const attempt = (work: () => void): void => {
    check()
    try {
      work()
    } catch (error) {
      failure = faultOf(path, error)
      fail(failure)
      throw failure
    }
  }
  const write = (line: StepLine): void =>
    attempt(() => {
      if (file === undefined) throw new JournalError(`${path} is not open: rewrite comes first`)
      writeWhole(file, path, encode(line))
    })
  return {
    remembered,
    failed,
    check,
    append(step, index) {
      const { orders, accounts } = step
      if (orders.length === 0 && accounts.length === 0) return
      write({ at: index, orders, accounts: accounts.map(accountLine) })
    },
    mark: (index) => write({ at: index }),
    rewrite({ exchange, tape }) {
      const { lastOrderNumber, orders, accounts } = exchange
      const whole = { whole: { lastOrderNumber, tape }, orders, accounts: accounts.map(accountLine) }
      attempt(() => {
        const next = openSync(`${path}.new`, 'w', 0o600)
        writeWhole(next, path, encode(whole))
        renameSync(`${path}.new`, path)
        if (file !== undefined) closeSync(file)
        file = next
      })
    },
    close() {
      if (file !== undefined) closeSync(file)
      file = undefined
    },
  }
}

/** What systems answer when there is no room left: the disk, a quota, the largest file allowed. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

function faultOf(path: string, error: unknown): JournalError {
  if (error instanceof JournalError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = NO_ROOM.has(code) ? `the disk that holds ${path} is full` : `${path} cannot be written`
  return new JournalError(`${reason} (${error instanceof Error ? error.message : String(error)})`, {
    cause: error,
  })
}

function writeWhole(file: number, path: string, text: string): void {
  const bytes = Buffer.from(text)
  const written = writeSync(file, bytes)
  if (written !== bytes.length) {
    throw new JournalError(`the disk that holds ${path} is full: wrote ${written} of ${bytes.length} bytes`)
  }
}

const accountLine = (account: BrokerAccount): AccountLine => ({ ...account, holdings: [...account.holdings] })
const accountOf = (line: AccountLine): BrokerAccount => ({ ...line, holdings: new Map(line.holdings) })

const encode = (line: WholeLine | StepLine): string =>
  `${JSON.stringify(line, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))}\n`

const BIGINT = /^-?\d+n$/

function decode(path: string, text: string, line: number): WholeLine | StepLine {
  try {
    return JSON.parse(text, (_key, value: unknown) =>
      typeof value === 'string' && BIGINT.test(value) ? BigInt(value.slice(0, -1)) : value,
    ) as WholeLine | StepLine
  } catch (error) {
    throw new JournalError(`${path}:${line} is not a journal line`, { cause: error })
  }
}

function read(path: string): Memory | undefined {
  const lines = readFileSync(path, 'utf8').split('\n')
  // What follows the last line end was not finished (J2).
  lines.pop()
  const [first, ...steps] = lines
  if (first === undefined) return undefined
  const start = decode(path, first, 1)
  if (!('whole' in start)) throw new JournalError(`${path}:1 does not begin a journal`)
  const orders = new Map(start.orders.map((order) => [order.orderNumber, order]))
  const accounts = new Map(start.accounts.map((line) => [line.accountNumber, accountOf(line)]))
  let { index } = start.whole.tape.position
  let { lastOrderNumber } = start.whole
  for (const [offset, text] of steps.entries()) {
    const step = decode(path, text, offset + 2)
    if ('whole' in step) throw new JournalError(`${path}:${offset + 2} begins a journal in the middle`)
    index = step.at
    for (const order of step.orders ?? []) {
      orders.set(order.orderNumber, order)
      lastOrderNumber = Math.max(lastOrderNumber, order.orderNumber)
    }
    for (const line of step.accounts ?? []) accounts.set(line.accountNumber, accountOf(line))
  }
  const { tape } = start.whole
  return {
    exchange: { lastOrderNumber, orders: [...orders.values()], accounts: [...accounts.values()] },
    tape: { ...tape, position: { ...tape.position, index } },
  }
}
