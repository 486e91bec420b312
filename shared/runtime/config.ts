// Settings: read once, in main.ts, before the first connection. All faults in one message, none with a secret in it.
//
// S1. A variable that is empty counts as unset.
// S2. Every setting can be read from a file instead: `NAME_FILE=/path`. Both at once are two truths, and refused.
// S3. A setting that is in neither is looked for among mounted secrets: a file called as the setting, or in lower case
//     with dashes as OpenFaaS and Kubernetes demand (`jts-jwt-secret` for JTS_JWT_SECRET). One that is there and cannot
//     be read is a fault, not an unset setting.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type ZodObject, type z } from 'zod'
import { describeConfig } from './setting.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Where OpenFaaS, Docker, and our manifests for Kubernetes put secrets. */
export const SECRET_DIRECTORIES = ['/var/openfaas/secrets', '/run/secrets', '/etc/jts/secrets'] as const

/** What `sysexits` and most shells take for wrong usage: starting again without a change is of no use. */
export const CONFIG_EXIT_CODE = 2

export class ConfigError extends Error {
  override name = 'ConfigError'
  /** `NAME: what is wrong`, one for each fault. */
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(['Settings are wrong:', ...faults.map((fault) => `  ${fault}`)].join('\n'))
    this.faults = faults
  }
}

export interface LoadOptions {
  /** Default: `SECRET_DIRECTORIES`. */
  readonly secretDirectories?: readonly string[]
}

/** What several schemas come to together. */
type SettingsOf<Schemas extends readonly ZodObject[]> = Schemas extends readonly [
  infer First extends ZodObject,
  ...infer Rest extends readonly ZodObject[],
]
  ? z.output<First> & SettingsOf<Rest>
  : unknown

/** Reads settings that repeat, as those of accounts do, which no schema can name. */
export interface SettingsReader<Result> {
  /** Its settings; they are looked for in files too. */
  readonly names: RegExp
  read(environment: Environment): Result | { readonly outcome: 'faulty'; readonly faults: readonly string[] }
}

/** @throws ConfigError that names every fault. */
export function loadConfig<Schema extends ZodObject>(
  schema: Schema,
  environment: Environment,
  options: LoadOptions = {},
): z.output<Schema> {
  const read = readSchema(schema, environment, options.secretDirectories ?? SECRET_DIRECTORIES)
  if (read.outcome === 'faulty') throw new ConfigError(read.faults)
  return read.settings
}

/** Several schemas, each whole: a rule may span its settings. @throws ConfigError with the faults of all. */
export function loadSettings<const Schemas extends readonly ZodObject[]>(
  schemas: Schemas,
  environment: Environment,
  options: LoadOptions = {},
): SettingsOf<Schemas> {
  return loadSettingsWith(schemas, NO_READER, environment, options)[0]
}

/** The same, and what `reader` finds. @throws ConfigError with the faults of all. */
export function loadSettingsWith<
  const Schemas extends readonly ZodObject[],
  Result extends { readonly outcome: 'read' },
>(
  schemas: Schemas,
  reader: SettingsReader<Result>,
  environment: Environment,
  options: LoadOptions = {},
): readonly [SettingsOf<Schemas>, Result] {
  const directories = options.secretDirectories ?? SECRET_DIRECTORIES
  const faults: string[] = []
  const settings = {}
  for (const schema of schemas) {
    const read = readSchema(schema, environment, directories)
    if (read.outcome === 'faulty') faults.push(...read.faults)
    else Object.assign(settings, read.settings)
  }
  const found = withFiles(reader.names, environment, directories)
  faults.push(...found.faults)
  const result = reader.read(found.environment)
  if (result.outcome === 'faulty') faults.push(...result.faults)
  if (faults.length > 0 || result.outcome === 'faulty') throw new ConfigError([...new Set(faults)])
  return [settings as SettingsOf<Schemas>, result]
}

const NO_READER: SettingsReader<{ readonly outcome: 'read' }> = {
  names: /^$/,
  read: () => ({ outcome: 'read' }),
}

/** For programs with one schema. See `orExit`. */
export const loadConfigOrExit = <Schema extends ZodObject>(
  schema: Schema,
  environment: Environment,
): z.output<Schema> => orExit(() => loadConfig(schema, environment))

/** For main.ts: when settings are wrong, says what is wrong on standard error and ends the process with code 2. */
export function orExit<Settings>(load: () => Settings): Settings {
  try {
    return load()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    return process.exit(CONFIG_EXIT_CODE)
  }
}

type SchemaRead<Settings> =
  | { readonly outcome: 'read'; readonly settings: Settings }
  | { readonly outcome: 'faulty'; readonly faults: readonly string[] }

function readSchema<Schema extends ZodObject>(
  schema: Schema,
  environment: Environment,
  secretDirectories: readonly string[],
): SchemaRead<z.output<Schema>> {
  const names = Object.keys(schema.shape)
  const faults: string[] = []
  const values: Record<string, string> = {}
  for (const name of names) {
    const found = valueOf(name, environment, secretDirectories)
    if (found.fault !== undefined) faults.push(`${name}: ${found.fault}`)
    else if (found.value !== undefined) values[name] = found.value
  }
  const parsed = schema.safeParse(values)
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) {
      const name = path.length === 0 ? names.join(', ') : String(path[0])
      if (!faults.some((fault) => fault.startsWith(`${name}: `)))
        faults.push(faultOf(schema, name, values, message))
    }
  }
  if (faults.length > 0 || !parsed.success) return { outcome: 'faulty', faults }
  return { outcome: 'read', settings: parsed.data }
}

/** The environment with what stands in files, for every setting that `names` matches. */
function withFiles(names: RegExp, environment: Environment, secretDirectories: readonly string[]) {
  const mounted = secretDirectories
    .flatMap(fileNamesIn)
    .map((name) => name.toUpperCase().replaceAll('-', '_'))
  const asked = Object.keys(environment).map((name) => name.replace(/_FILE$/, ''))
  const faults: string[] = []
  const values: Record<string, string> = {}
  for (const name of new Set([...asked, ...mounted])) {
    if (!names.test(name)) continue
    const { value, fault } = valueOf(name, environment, secretDirectories)
    if (fault !== undefined) faults.push(`${name}: ${fault}`)
    if (value !== undefined) values[name] = value
  }
  return { environment: { ...environment, ...values }, faults }
}

function fileNamesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return [] // there are none
  }
}

interface Found {
  readonly value?: string
  readonly fault?: string
}

function valueOf(name: string, environment: Environment, secretDirectories: readonly string[]): Found {
  const direct = environment[name]?.trim() === '' ? undefined : environment[name]
  const file = environment[`${name}_FILE`]?.trim()
  if (file !== undefined && file !== '') {
    if (direct !== undefined) return { fault: `is set, and so is ${name}_FILE: which one is meant?` }
    const { text, problem } = readSecret(file)
    if (text === undefined)
      return { fault: `${name}_FILE names a file that cannot be read: ${file} (${problem})` }
    return text === '' ? { fault: `${name}_FILE names a file that is empty: ${file}` } : { value: text }
  }
  if (direct !== undefined) return { value: direct }
  for (const directory of secretDirectories) {
    for (const fileName of [name, name.toLowerCase().replaceAll('_', '-')]) {
      const path = join(directory, fileName)
      const { text, problem } = readSecret(path)
      if (text === undefined && !ABSENT.has(problem)) return { fault: `${path} cannot be read (${problem})` }
      if (text !== undefined && text !== '') return { value: text }
    }
  }
  return {}
}

type Secret =
  { readonly text: string; readonly problem?: never } | { readonly text?: never; readonly problem: string }

const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR'])

/** Without the line end that editors and `echo` add. */
function readSecret(path: string): Secret {
  try {
    return { text: readFileSync(path, 'utf8').replace(/[\r\n]+$/, '') }
  } catch (error) {
    return { problem: error instanceof Error && 'code' in error ? String(error.code) : String(error) }
  }
}

function faultOf(schema: ZodObject, name: string, values: Record<string, string>, message: string): string {
  const setting = describeConfig(schema).find((each) => each.name === name)
  const value = values[name]
  const purpose = setting === undefined || setting.description === '' ? '' : ` (${setting.description})`
  if (value === undefined)
    return setting === undefined ? `${name}: ${message}` : `${name}: is required${purpose}`
  const shown =
    setting?.secret === true
      ? 'what it is set to is not shown'
      : `is ${JSON.stringify(withoutPassword(value))}`
  return `${name}: ${message}; ${shown}${purpose}`
}

/** A URL may carry a password. */
const withoutPassword = (value: string): string => value.replaceAll(/(:\/\/)[^@/]*@/g, '$1…@')
