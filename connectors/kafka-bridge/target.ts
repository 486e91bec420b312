// A function as the bridge sees it: what it takes, and where it is.
import type { EventContract } from '#shared/events/contract.ts'
import type { FunctionDefinition } from '#shared/runtime/function.ts'

export interface Target {
  /** Also its consumer group. */
  readonly name: string
  readonly consumes: readonly EventContract[]
  /** What it may answer with. Absent: any event that there is a contract for. */
  readonly produces?: readonly EventContract[]
  /** Where its instances are asked. */
  readonly urls: readonly string[]
  /** Deadline of one event, milliseconds. */
  readonly timeoutMs: number
  /** Events in one request at most. 1: each alone, in binary mode. */
  readonly batchMax: number
}

/** Gives all functions there are at the moment. Called again and again; rejects when that is not known. */
export type TargetSource = (signal: AbortSignal) => Promise<readonly Target[]>

/** Functions that are known by their definitions, at the places that the settings give. */
export const targetsAt = (
  places: ReadonlyMap<string, readonly string[]>,
  definitions: readonly FunctionDefinition[],
  batchMax: number,
): readonly Target[] =>
  definitions.flatMap(({ name, consumes, produces, timeoutMs }) => {
    const urls = places.get(name)
    return urls === undefined ? [] : [{ name, consumes, produces, urls, timeoutMs, batchMax }]
  })

export interface TargetChanges {
  /** Names of those to be closed, the changed ones among them. */
  readonly close: readonly string[]
  readonly open: readonly Target[]
}

/** What turns the running functions into the wanted ones. A function that has changed is closed and opened. */
export function changesOf(running: ReadonlyMap<string, Target>, wanted: readonly Target[]): TargetChanges {
  const texts = new Map(wanted.map((target) => [target.name, textOf(target)]))
  const stays = (target: Target | undefined): boolean =>
    target !== undefined && texts.get(target.name) === textOf(target)
  return {
    close: [...running.values()].filter((target) => !stays(target)).map(({ name }) => name),
    open: wanted.filter(({ name }) => !stays(running.get(name))),
  }
}

const typesOf = (contracts: readonly EventContract[] | undefined): readonly string[] | undefined =>
  contracts?.map(({ type }) => type).toSorted()

const textOf = ({ consumes, produces, urls, timeoutMs, batchMax }: Target): string =>
  JSON.stringify([typesOf(consumes), typesOf(produces), urls, timeoutMs, batchMax])
