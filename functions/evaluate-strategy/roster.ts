// Which strategies run: documents of kind `strategy`, read again every few seconds.
//
// R1. A document that is not valid disables its strategy, with a fault that names the field; the others go on.
// R2. When the documents cannot be read, what was read last goes on. Before the first reading nothing runs.
// R3. A version never changes, so a strategy is prepared once for each version, and its state lives as long as that.
import * as z from 'zod'
import { InstrumentIdString } from '#shared/events/wire.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { Document, Documents } from '#shared/ports/documents.ts'
import type { PreparedStrategy, Strategy } from './strategy.ts'

export const STRATEGY_DOCUMENT_KIND = 'strategy'

const StrategyId = z
  .string()
  .max(60)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be kebab-case')

export const StrategyDocumentSchema = z.strictObject({
  id: StrategyId,
  kind: z.string().min(1).max(60),
  enabled: z.boolean(),
  accountId: z.string().min(1).max(200),
  instrumentIds: z.union([z.literal('all'), z.array(InstrumentIdString).min(1).max(5_000)]),
  parameters: z.record(z.string(), z.unknown()),
})
/** The body of a document of kind `strategy`; its document id is `id`. */
export type StrategyDocument = z.output<typeof StrategyDocumentSchema>

export interface RosterEntry {
  readonly strategyId: string
  readonly version: number
  readonly accountId: string
  readonly prepared: PreparedStrategy
  trades(instrumentId: string): boolean
}

export interface Roster {
  /** Goes up whenever an entry was added, changed or removed. */
  readonly revision: number
  readonly entries: readonly RosterEntry[]
}

export interface RosterDeps {
  readonly documents: Pick<Documents, 'list'>
  readonly strategies: readonly Strategy[]
  readonly stopwatch: Pick<Stopwatch, 'elapsedMs'>
  readonly refreshMs: number
  readonly onFault: (strategyId: string, fault: string) => void
}

const faultOf = (error: unknown): string =>
  error instanceof z.ZodError
    ? error.issues.map((issue) => `${issue.path.join('.') || 'document'}: ${issue.message}`).join('; ')
    : String(error)

/** @throws ZodError or Error that says what is wrong with the document. */
export function entryOf(document: Document, strategies: readonly Strategy[]): RosterEntry | undefined {
  const body = StrategyDocumentSchema.parse(document.body)
  if (body.id !== document.id) throw new Error(`id: ${body.id} is not the id of its document, ${document.id}`)
  const strategy = strategies.find(({ kind }) => kind === body.kind)
  if (strategy === undefined) {
    throw new Error(`kind: ${body.kind} is not one of ${strategies.map(({ kind }) => kind).join(', ')}`)
  }
  const prepared = strategy.prepare(body.parameters)
  if (!body.enabled) return undefined
  const ids = body.instrumentIds === 'all' ? undefined : new Set<string>(body.instrumentIds)
  return {
    strategyId: body.id,
    version: document.version,
    accountId: body.accountId,
    prepared,
    trades: (instrumentId) => ids?.has(instrumentId) ?? true,
  }
}

export interface RosterSource {
  /** The roster at hand; reads it anew in the background when it is old. Waits only for the first. */
  current(): Roster | Promise<Roster>
}

export function rosterSource(deps: RosterDeps): RosterSource {
  const prepared = new Map<string, { readonly version: number; readonly entry: RosterEntry | undefined }>()
  let roster: Roster | undefined
  let reading: Promise<Roster> | undefined
  let readMs = 0

  const take = (document: Document): RosterEntry | undefined => {
    const known = prepared.get(document.id)
    if (known?.version === document.version) return known.entry
    let entry: RosterEntry | undefined
    try {
      entry = entryOf(document, deps.strategies)
    } catch (error) {
      deps.onFault(document.id, `version ${document.version} is disabled: ${faultOf(error)}`) // R1
    }
    prepared.set(document.id, { version: document.version, entry })
    return entry
  }

  const read = async (): Promise<Roster> => {
    const documents = await deps.documents.list(STRATEGY_DOCUMENT_KIND)
    readMs = deps.stopwatch.elapsedMs()
    const entries = documents.map(take).filter((entry) => entry !== undefined)
    const isSame =
      roster !== undefined &&
      roster.entries.length === entries.length &&
      entries.every((entry, index) => entry === roster?.entries[index])
    roster = roster !== undefined && isSame ? roster : { revision: (roster?.revision ?? 0) + 1, entries }
    return roster
  }

  const readOnce = (): Promise<Roster> =>
    (reading ??= read().finally(() => {
      reading = undefined
    }))

  return {
    current() {
      if (roster === undefined) return readOnce()
      if (reading === undefined && deps.stopwatch.elapsedMs() - readMs >= deps.refreshMs) {
        readOnce().catch((error: unknown) => {
          readMs = deps.stopwatch.elapsedMs() // R2
          deps.onFault('all', `strategies could not be read again: ${String(error)}`)
        })
      }
      return roster
    },
  }
}
