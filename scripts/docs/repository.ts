// What the documents are printed from: definitions, connectors and settings, found by where they stand.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ZodObject } from 'zod'
import type { EventContract } from '#shared/events/contract.ts'
import type { FunctionDefinition } from '#shared/runtime/function.ts'
import { type Setting, describeConfig } from '#shared/runtime/setting.ts'

/** Who takes part in an event's way. */
export interface Participant {
  readonly name: string
  readonly summary: string
  readonly consumes: readonly string[]
  readonly produces: readonly string[]
}

export interface ConfigSection {
  readonly title: string
  /** The source of the schema. */
  readonly path: string
  readonly settings: readonly Setting[]
}

export const load = async (path: string): Promise<Record<string, unknown>> =>
  (await import(pathToFileURL(path).href)) as Record<string, unknown>

/** `<folder>/<name>/<file>` for every name that has the file; none where the folder is missing. */
function sourcesIn(
  folder: string,
  file: string,
): readonly { readonly name: string; readonly path: string }[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, file)))
    .map((entry) => ({ name: entry.name, path: join(folder, entry.name, file) }))
    .toSorted((left, right) => left.name.localeCompare(right.name, 'en'))
}

const isDefinition = (value: unknown): value is FunctionDefinition =>
  typeof value === 'object' &&
  value !== null &&
  'consumes' in value &&
  'produces' in value &&
  'timeoutMs' in value

const typesOf = (contracts: unknown): readonly string[] =>
  Array.isArray(contracts) ? (contracts as readonly EventContract[]).map(({ type }) => type) : []

export async function loadFunctions(root: string): Promise<readonly FunctionDefinition[]> {
  const modules = await Promise.all(
    sourcesIn(join(root, 'functions'), 'function.ts').map(({ path }) => load(path)),
  )
  return modules.flatMap((module) => Object.values(module)).filter(isDefinition)
}

/** Functions, then connectors. */
export async function loadParticipants(root: string): Promise<readonly Participant[]> {
  const functions = (await loadFunctions(root)).map((definition) => ({
    name: definition.name,
    summary: definition.summary,
    consumes: typesOf(definition.consumes),
    produces: typesOf(definition.produces),
  }))
  const connectors = sourcesIn(join(root, 'connectors'), 'connector.ts').map(async ({ name, path }) => {
    const module = await load(path)
    const summary = /^\/\/ (.*)/.exec(readFileSync(path, 'utf8'))?.[1] ?? 'A connector.'
    return { name, summary, consumes: typesOf(module['consumes']), produces: typesOf(module['produces']) }
  })
  return [...functions, ...(await Promise.all(connectors))]
}

/** Schemas that stand in no `config.ts`. */
const OTHER_SCHEMAS = [
  ['Every deployed function', 'shared/runtime/serve.ts'],
  ['Business time', 'shared/runtime/business-time.ts'],
  ['PostgreSQL', 'shared/adapters/postgres/config.ts'],
  ['ClickHouse', 'shared/adapters/clickhouse/config.ts'],
  ['Kafka', 'shared/adapters/kafka/config.ts'],
  ['Redis', 'shared/adapters/redis/config.ts'],
  ['KIS', 'shared/adapters/broker-kis/accounts.ts'],
] as const

export async function loadSections(root: string): Promise<readonly ConfigSection[]> {
  const found = ['apps', 'functions', 'connectors'].flatMap((folder) =>
    sourcesIn(join(root, folder), 'config.ts').map(({ name, path }) => ({ title: name, path })),
  )
  const others = OTHER_SCHEMAS.map(([title, path]) => ({ title, path: join(root, path) })).filter(
    ({ path }) => existsSync(path),
  )
  const sections = [...found, ...others].map(async ({ title, path }): Promise<ConfigSection> => {
    const source = readFileSync(path, 'utf8')
    const schemas = Object.entries(await load(path)).filter(([name]) => name.endsWith('Config'))
    const settings = schemas.flatMap(([name, schema]) => settingsOf(name, schema, source))
    return { title, path: path.slice(root.length + 1), settings }
  })
  return (await Promise.all(sections)).filter(({ settings }) => settings.length > 0)
}

/** Schemas of settings that repeat, and how the first of them are called. */
const REPEATED: Readonly<Record<string, (name: string) => string>> = {
  KisAccountConfig: (name) => `${name === 'HTS_ID' ? 'JTS_' : ''}KIS_ACCOUNT_1_${name}`,
}

/** The settings of one exported schema, with what its source says where the schema itself is silent. */
export const settingsOf = (exportName: string, schema: unknown, source: string): readonly Setting[] =>
  (schema instanceof ZodObject ? describeConfig(schema) : []).map((setting) => ({
    ...setting,
    name: REPEATED[exportName]?.(setting.name) ?? setting.name,
    description: setting.description === '' ? commentOn(setting.name, source) : setting.description,
  }))

/** The doc comment right above a member, as one line. */
function commentOn(name: string, source: string): string {
  const match = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s*${name}:`).exec(source)
  return (match?.[1] ?? '').replaceAll(/\s*\n\s*\*?\s*/g, ' ').trim()
}
