// Settings: read once, in main.ts, before the first connection. All faults in one message, none with a secret in it.
//
// S1. A variable that is empty counts as unset.
// S2. Every setting can be read from a file instead: `NAME_FILE=/path`. Both at once are two truths, and refused.
// S3. A setting that is in neither is looked for among mounted secrets: a file called as the setting, or in lower case
//     with dashes as OpenFaaS and Kubernetes demand (`jts-jwt-secret` for JTS_JWT_SECRET).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ZodObject, type z } from 'zod'
import { describeConfig } from './setting.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Where OpenFaaS, and Docker or Kubernetes, put secrets. */
export const SECRET_DIRECTORIES = ['/var/openfaas/secrets', '/run/secrets'] as const

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

/** @throws ConfigError that names every fault. */
export function loadConfig<Schema extends ZodObject>(
  schema: Schema,
  environment: Environment,
  { secretDirectories = SECRET_DIRECTORIES }: LoadOptions = {},
): z.output<Schema> {
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
  if (faults.length > 0 || !parsed.success) throw new ConfigError(faults)
  return parsed.data
}

/** For main.ts: says what is wrong on standard error and ends the process with code 2. */
export function loadConfigOrExit<Schema extends ZodObject>(
  schema: Schema,
  environment: Environment,
  options?: LoadOptions,
): z.output<Schema> {
  try {
    return loadConfig(schema, environment, options)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    return process.exit(CONFIG_EXIT_CODE)
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
    const text = readSecret(file)
    if (text === undefined) return { fault: `${name}_FILE names a file that cannot be read: ${file}` }
    return text === '' ? { fault: `${name}_FILE names a file that is empty: ${file}` } : { value: text }
  }
  if (direct !== undefined) return { value: direct }
  for (const directory of secretDirectories) {
    for (const fileName of [name, name.toLowerCase().replaceAll('_', '-')]) {
      const text = readSecret(join(directory, fileName))
      if (text !== undefined && text !== '') return { value: text }
    }
  }
  return {}
}

/** Without the line end that editors and `echo` add. */
function readSecret(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/[\r\n]+$/, '')
  } catch {
    return undefined
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
