// A fast way through a schema, generated from the schema itself.
//
// R1. A reader accepts only what is beyond doubt, and then gives exactly what the schema would give: a copy with the
//     members in the schema's order. Whatever it cannot answer for, right or wrong, it passes on: the schema then decides
//     and names the faults. reader.test.ts holds the two against each other.
// R2. Parts it does not know (unions, records, transforms …) are asked of their own schema; where even that is not enough,
//     there is no reader.
// R3. Where code may not be generated (`node --disallow-code-generation-from-strings`) there is no reader either.
/* oxlint-disable no-underscore-dangle -- `_zod` is what zod shows to those who read schemas */
import * as z from 'zod'

/** Gives the data, or `undefined`: ask the schema. */
export type Reader = (value: unknown) => unknown

/** As `schema.safeParse`, by its reader where that answers. */
export function parserOf<Schema extends z.ZodType>(
  schema: Schema,
): (value: unknown) => z.ZodSafeParseResult<z.output<Schema>> {
  const read = readerOf(schema)
  if (read === undefined) return (value) => schema.safeParse(value)
  return (value) => {
    const data = read(value)
    return data === undefined ? schema.safeParse(value) : { success: true, data: data as z.output<Schema> }
  }
}

/** Of a strict object; `undefined` where there can be none (R2, R3). */
export function readerOf(schema: z.ZodType): Reader | undefined {
  const def = defOf(schema)
  return def.type === 'object' && mayGenerate() ? objectReader(def as z.core.$ZodObjectDef) : undefined
}

const defOf = (schema: z.core.$ZodType): z.core.$ZodTypeDef => schema._zod.def

function mayGenerate(): boolean {
  if (z.config().jitless === true) return false
  try {
    return generated([], 'return true')() === true
  } catch {
    return false
  }
}

/** Compiles `code`, which sees each of `constants` as $0, $1, $2 … */
const generated = (constants: readonly unknown[], code: string): (() => unknown) =>
  // oxlint-disable-next-line typescript/no-implied-eval -- only of schemas, which are part of the program
  new Function(...constants.map((_, index) => `$${index}`), code).bind(
    undefined,
    ...constants,
  ) as () => unknown

/** What generated code holds on to: patterns, sets, other readers. */
class Constants {
  readonly list: unknown[] = []

  /** Its name in the code. */
  add(constant: unknown): string {
    return `$${this.list.push(constant) - 1}`
  }
}

function objectReader(def: z.core.$ZodObjectDef): Reader | undefined {
  const rules = refinementsOf(def)
  const isStrict = def.catchall !== undefined && defOf(def.catchall).type === 'never'
  const names = Object.keys(def.shape)
  if (!isStrict || rules === undefined || names.includes('__proto__')) return undefined
  const constants = new Constants()
  const known = constants.add(new Set(names))
  const members = names.map((name, index) => memberCode(name, `v${index}`, def.shape[name], constants))
  const code = `
    return function read(value) {
      if (typeof value !== 'object' || value === null) return undefined
      for (const name in value) if (!${known}.has(name)) return undefined
      ${members.map((member) => member.check).join('\n')}
      const copy = {}
      ${members.map((member) => member.copy).join('\n')}
      ${rules.map((rule) => `if (${constants.add(rule)}(copy) !== true) return undefined`).join('\n')}
      return copy
    }`
  return generated(constants.list, code)() as Reader
}

type Rule = (value: unknown) => unknown

/** `undefined` where one is not a plain `refine`. */
function refinementsOf(def: z.core.$ZodTypeDef): readonly Rule[] | undefined {
  const rules = (def.checks ?? []).map((check) => {
    const { fn, when } = check._zod.def as z.core.$ZodCustomDef & { readonly when?: unknown }
    return when === undefined ? fn : undefined
  })
  return rules.every((rule) => typeof rule === 'function') ? rules : undefined
}

interface MemberCode {
  readonly check: string
  readonly copy: string
}

function memberCode(
  name: string,
  variable: string,
  schema: z.core.$ZodType | undefined,
  constants: Constants,
): MemberCode {
  if (schema === undefined) throw new Error(`no schema for member ${name}`)
  const key = JSON.stringify(name)
  const def = defOf(schema)
  const isOptional = def.type === 'optional' && def.checks === undefined && schema._zod.optin === 'optional'
  const inner = isOptional ? (def as z.core.$ZodOptionalDef).innerType : schema
  const test = testCode(inner, variable, constants)
  const copy = `copy[${key}] = ${variable}`
  // Present and undefined is kept by the schema as it is, absence may stand for a default: no cases for speed.
  const isWrong = isOptional
    ? `${variable} === undefined ? ${key} in value : !(${test})`
    : `${variable} === undefined || !(${test})`
  return {
    check: `let ${variable} = value[${key}]\nif (${isWrong}) return undefined`,
    copy: isOptional ? `if (${variable} !== undefined) ${copy}` : copy,
  }
}

/** An expression that is true when the schema would accept `variable`, and leaves in it what the schema would give. */
function testCode(schema: z.core.$ZodType, variable: string, constants: Constants): string {
  const test = scalarTest(schema, variable, constants)
  if (test !== undefined) return test
  const nested = constants.add(nestedReader(schema))
  return `(${variable} = ${nested}(${variable})) !== undefined`
}

function nestedReader(schema: z.core.$ZodType): Reader {
  const own = readerOf(schema as z.ZodType)
  if (own !== undefined) return own
  return (value) => {
    const parsed = z.safeParse(schema, value)
    return parsed.success ? parsed.data : undefined
  }
}

/** Strings, numbers, Booleans and closed lists. */
function scalarTest(schema: z.core.$ZodType, variable: string, constants: Constants): string | undefined {
  const def = defOf(schema) as z.core.$ZodTypeDef & { readonly coerce?: boolean }
  if (def.coerce === true) return undefined
  const list = constants.add(schema._zod.values)
  const types: Partial<Record<typeof def.type, string>> = {
    string: `typeof ${variable} === 'string'`,
    number: `Number.isFinite(${variable})`,
    boolean: `typeof ${variable} === 'boolean'`,
    enum: `${list}.has(${variable})`,
    literal: `${list}.has(${variable})`,
  }
  return allOf([types[def.type], ...checksOf(schema, variable, constants)])
}

const allOf = (tests: readonly (string | undefined)[]): string | undefined =>
  tests.every((test) => test !== undefined) ? tests.join(' && ') : undefined

/** A format such as `z.iso.datetime()` is a check of itself. */
function checksOf(
  schema: z.core.$ZodType,
  variable: string,
  constants: Constants,
): readonly (string | undefined)[] {
  const own = schema._zod.traits.has('$ZodCheck') ? [schema as unknown as z.core.$ZodCheck] : []
  return [...own, ...(schema._zod.def.checks ?? [])].map((check) => checkTest(check, variable, constants))
}

type CheckDef =
  | z.core.$ZodCheckLessThanDef
  | z.core.$ZodCheckGreaterThanDef
  | z.core.$ZodCheckMinLengthDef
  | z.core.$ZodCheckMaxLengthDef
  | z.core.$ZodCheckNumberFormatDef
  | z.core.$ZodCheckStringFormatDef

/** Formats whose pattern is all there is to them. */
const PATTERN_FORMATS = new Set(['regex', 'datetime', 'date'])

function checkTest(check: z.core.$ZodCheck, variable: string, constants: Constants): string | undefined {
  const def = check._zod.def as CheckDef
  switch (def.check) {
    case 'max_length':
      // The schema counts code points: a text of that many units has no more.
      return `${variable}.length <= ${def.maximum}`
    case 'min_length':
      return `${variable}.length >= ${def.minimum <= 1 ? def.minimum : 2 * def.minimum}`
    case 'greater_than':
      return `${variable} >${def.inclusive ? '=' : ''} ${constants.add(def.value)}`
    case 'less_than':
      return `${variable} <${def.inclusive ? '=' : ''} ${constants.add(def.value)}`
    case 'number_format':
      return def.format === 'safeint' ? `Number.isSafeInteger(${variable})` : undefined
    case 'string_format': {
      const { pattern, format } = def
      const isPlain =
        pattern !== undefined && PATTERN_FORMATS.has(format) && !pattern.global && !pattern.sticky
      return isPlain ? `${constants.add(pattern)}.test(${variable})` : undefined
    }
    default:
      return undefined
  }
}
