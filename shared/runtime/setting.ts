// What a schema of settings says to a person: the source of docs/configuration.md and .env.example.
import * as z from 'zod'

export interface Setting {
  readonly name: string
  /** `integer 1…65535`, `true | false`, `text` … */
  readonly type: string
  /** As it would stand in the environment. Absent: there is none. */
  readonly default?: string
  readonly required: boolean
  /** Never shown, logged or quoted: `.meta({ secret: true })`, or named like a secret. */
  readonly secret: boolean
  readonly description: string
}

interface PropertySchema {
  readonly type?: string | undefined
  readonly enum?: readonly unknown[] | undefined
  readonly const?: unknown
  readonly minimum?: number | undefined
  readonly maximum?: number | undefined
  readonly exclusiveMinimum?: number | undefined
  readonly format?: string | undefined
  readonly default?: unknown
  readonly description?: string | undefined
  readonly secret?: boolean | undefined
}

const LOOKS_SECRET = /(SECRET|PASSWORD|PASSPHRASE|TOKEN|_KEY|APPKEY)(_|$)/

/** In the order of the schema. */
export function describeConfig(schema: z.ZodObject): readonly Setting[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const output = propertyOf(field as z.ZodType, 'output')
    const input = propertyOf(field as z.ZodType, 'input')
    const preset = presetOf(field as z.ZodType)
    return {
      name,
      type: typeOf(output.type === undefined && output.enum === undefined ? input : output),
      ...(preset === undefined ? {} : { default: preset }),
      required: preset === undefined && !(field as z.ZodType).safeParse(undefined).success,
      secret: output.secret ?? input.secret ?? LOOKS_SECRET.test(name),
      description: (output.description ?? input.description ?? '').trim(),
    }
  })
}

const propertyOf = (field: z.ZodType, io: 'input' | 'output'): PropertySchema =>
  z.toJSONSchema(field, { io, unrepresentable: 'any' }) as PropertySchema

/** What an unset variable comes to, if that can be written down. */
function presetOf(field: z.ZodType): string | undefined {
  const given = propertyOf(field, 'input').default ?? propertyOf(field, 'output').default
  if (typeof given === 'string' || typeof given === 'number' || typeof given === 'boolean')
    return String(given)
  return given === undefined ? undefined : JSON.stringify(given)
}

const INTEGER_MAX = Number.MAX_SAFE_INTEGER

function typeOf(schema: PropertySchema): string {
  if (schema.enum !== undefined) return schema.enum.map(String).join(' | ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  switch (schema.type ?? 'string') {
    case 'integer':
    case 'number':
      return `${schema.type}${rangeOf(schema)}`
    case 'boolean':
      return 'true | false'
    case 'string':
      return schema.format === undefined ? 'text' : schema.format
    default:
      return 'text'
  }
}

function rangeOf({ minimum, exclusiveMinimum, maximum }: PropertySchema): string {
  const low = minimum === undefined || minimum <= -INTEGER_MAX ? undefined : `${minimum}`
  const high = maximum === undefined || maximum >= INTEGER_MAX ? undefined : `${maximum}`
  if (low !== undefined && high !== undefined) return ` ${low}…${high}`
  if (exclusiveMinimum !== undefined)
    return ` above ${exclusiveMinimum}${high === undefined ? '' : `, at most ${high}`}`
  if (low !== undefined) return ` from ${low}`
  return high === undefined ? '' : ` up to ${high}`
}
