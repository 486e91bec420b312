// What is deployed: functions and connectors with their settings, found by where they stand.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Topic } from '#shared/events/contract.ts'
import type { FunctionDefinition } from '#shared/runtime/function.ts'
import { topicsOf } from '#shared/runtime/routing.ts'
import type { Setting } from '#shared/runtime/setting.ts'
import { load, loadFunctions, loadParticipants, settingsOf } from '../docs/repository.ts'

/** What a workload talks to, by the settings that it has. */
export const NEEDS = {
  kafka: 'JTS_KAFKA_BROKERS',
  postgres: 'JTS_POSTGRES_URL',
  clickhouse: 'JTS_CLICKHOUSE_URL',
  redis: 'REDIS_URL',
  broker: 'KIS_PAPER_TRADING',
  people: 'SMTP_HOST',
} as const
export type Need = keyof typeof NEEDS

export interface Workload {
  readonly name: string
  /** One sentence. */
  readonly summary: string
  /** Each once, in the order of its schemas. */
  readonly settings: readonly Setting[]
}

export interface FunctionWorkload extends Workload {
  readonly definition: FunctionDefinition
  /** What wakes it: for each topic the event types it consumes. */
  readonly triggers: readonly Trigger[]
}

export interface Trigger {
  readonly topic: Topic
  /** Sorted. */
  readonly types: readonly string[]
}

export interface Inventory {
  readonly functions: readonly FunctionWorkload[]
  readonly connectors: readonly Workload[]
}

export async function takeInventory(root: string): Promise<Inventory> {
  const definitions = (await loadFunctions(root)).toSorted(byName)
  const participants = await loadParticipants(root)
  const isFunction = new Set(definitions.map(({ name }) => name))
  return {
    functions: await Promise.all(
      definitions.map(async (definition) => ({
        name: definition.name,
        summary: definition.summary,
        settings: await settingsIn(root, join(root, 'functions', definition.name)),
        definition,
        triggers: triggersOf(definition),
      })),
    ),
    connectors: await Promise.all(
      participants
        .filter(({ name }) => !isFunction.has(name))
        .toSorted(byName)
        .map(async ({ name, summary }) => ({
          name,
          summary,
          settings: await settingsIn(root, join(root, 'connectors', name)),
        })),
    ),
  }
}

export const hasNeed = ({ settings }: Pick<Workload, 'settings'>, need: Need): boolean =>
  settings.some(({ name }) => name === NEEDS[need])

export const needsOf = (workload: Pick<Workload, 'settings'>): readonly Need[] =>
  (Object.keys(NEEDS) as Need[]).filter((need) => hasNeed(workload, need))

/** As a file, and as a secret of OpenFaaS and Kubernetes: see S3 of `shared/runtime/config.ts`. */
export const secretNameOf = ({ name }: Pick<Setting, 'name'>): string =>
  name.toLowerCase().replaceAll('_', '-')

function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name.localeCompare(right.name, 'en')
}

const triggersOf = (definition: FunctionDefinition): readonly Trigger[] =>
  topicsOf(definition).map((topic) => ({
    topic,
    types: definition.consumes
      .filter((contract) => contract.topic === topic)
      .map(({ type }) => type)
      .toSorted(),
  }))

const IMPORT = /^import \{([^}]*)\} from '([^']+)'/gm
/** Readers of settings that are no schema, and the schemas that they read by. */
const READ_BY: Readonly<Record<string, readonly string[]>> = {
  readKisSettings: ['KisConfig', 'KisAccountConfig'],
}

/** The schemas of the workload's own `config.ts`, and those that its `main.ts` imports by name. */
async function settingsIn(root: string, folder: string): Promise<readonly Setting[]> {
  const config = join(folder, 'config.ts')
  const main = join(folder, 'main.ts')
  const found: Setting[] = []
  if (existsSync(config)) found.push(...(await settingsFrom(config, Object.keys(await load(config)))))
  if (existsSync(main)) {
    for (const [, names = '', specifier = ''] of readFileSync(main, 'utf8').matchAll(IMPORT)) {
      const path = pathOf(root, main, specifier)
      const imported = names.split(',').map((name) => name.replace(/^\s*(?:type\s+)?/, '').trim())
      if (path !== undefined && path !== config)
        found.push(
          ...(await settingsFrom(
            path,
            imported.flatMap((name) => READ_BY[name] ?? [name]),
          )),
        )
    }
  }
  const seen = new Map<string, Setting>()
  // Required by one schema is required.
  for (const setting of found)
    if (!seen.has(setting.name) || setting.required) seen.set(setting.name, setting)
  return [...seen.values()]
}

/** Only modules that hold schemas are loaded: an adapter may bring a native library. */
const HOLDS_SCHEMAS = /(Config|Connections?)$/

function pathOf(root: string, from: string, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return join(root, specifier.slice(1))
  return specifier.startsWith('.') ? join(dirname(from), specifier) : undefined
}

async function settingsFrom(path: string, names: readonly string[]): Promise<readonly Setting[]> {
  if (!names.some((name) => HOLDS_SCHEMAS.test(name))) return []
  const module = await load(path)
  const source = readFileSync(path, 'utf8')
  return names.flatMap((name) => settingsOf(name, module[name], source))
}
