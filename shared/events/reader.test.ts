// A reader says what its schema says, or nothing. JTS_FUZZ_RUNS sets how many values are tried (default 100,000).
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { CONTRACTS } from './catalogue.ts'
import { type Reader, parserOf, readerOf } from './reader.ts'

const RUNS = Number(process.env['JTS_FUZZ_RUNS'] ?? 100_000)

type Members = Record<string, unknown>
const EXAMPLES = CONTRACTS.map(({ name, type, schema }) => {
  const { data } = JSON.parse(readFileSync(`shared/events/fixtures/${type}.json`, 'utf8')) as {
    data: Members
  }
  return { name, schema, data, read: readerOf(schema) }
})

/** What makes the two differ, if anything. The order of members counts: data are hashed as they are written. */
function difference(schema: z.ZodType, read: Reader, value: unknown): string | undefined {
  const data = read(value)
  if (data === undefined) return undefined
  const parsed = schema.safeParse(value)
  if (!parsed.success) return `the schema refuses it: ${parsed.error.message}`
  if (data === value) return 'it is not a copy'
  const isSame = isDeepStrictEqual(data, parsed.data) && JSON.stringify(data) === JSON.stringify(parsed.data)
  return isSame ? undefined : `the schema gives ${JSON.stringify(parsed.data)}`
}

const text = fc.oneof(
  fc.constantFrom('', ' ', '0', '00', '1', '01', '-1', '1.5', '1.23456', '.5', '1.', '1e3', '０', 'NaN'),
  fc.constantFrom('005930.KRX', '005930.XXX', 'aapl.NASDAQ', 'buy', 'Buy', 'limit', 'market', '__proto__'),
  fc.constantFrom('2026-02-29', '2028-02-29', '2026-11-23', '2026-11-23T00:00:00Z', '2026-11-23T00:00:00'),
  fc.constantFrom('2026-11-23T24:00:00Z', '2026-11-23T00:00:00.123456789+09:00', '2026-02-30T00:00:00Z'),
  fc
    .tuple(fc.constantFrom('1', 'a', '한', '📈'), fc.constantFrom(1, 2, 8, 9, 20, 21, 40, 41, 100, 101))
    .map(([unit, times]) => unit.repeat(times)),
  fc
    .tuple(fc.constantFrom('a', '📈'), fc.constantFrom(200, 201, 500, 501, 1000, 1001))
    .map(([unit, times]) => unit.repeat(times)),
  fc.string({ maxLength: 8 }),
)
const odd = fc.oneof(
  { weight: 3, arbitrary: text },
  fc.constantFrom(0, -0, 1, -1, 0.5, 1.5, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), Number.NaN, Infinity, 1n),
  fc.constantFrom<unknown>(undefined, null, true, false, [], ['005930.KRX'], [undefined], {}, { a: 1 }),
)

type Edit = (data: Members, names: readonly string[]) => Members
const at = (names: readonly string[], index: number): string => names[index % names.length] ?? ''
const index = fc.nat({ max: 63 })
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc
    .tuple(index, odd)
    .map(([where, value]): Edit => (data, names) => ({ ...data, [at(names, where)]: value })),
  index.map(
    (where): Edit =>
      (data, names) =>
        Object.fromEntries(Object.entries(data).filter(([name]) => name !== at(names, where))),
  ),
  fc.tuple(index, index).map(([to, from]): Edit => (data, names) => ({
    ...data,
    [at(names, to)]: data[at(names, from)],
  })),
  fc.constantFrom('unknownMember', 'constructor', 'toString', '').map((name): Edit => (data) => ({
    ...data,
    [name]: 'x',
  })),
  fc.constant<Edit>((data) => Object.fromEntries(Object.entries(data).toReversed())),
  fc.constant<Edit>((data) => Object.create(data) as Members),
  fc.constant<Edit>((data) => Object.assign(Object.create(null) as Members, data)),
  fc.constant<Edit>((data) =>
    Object.defineProperty({ ...data }, '__proto__', { value: 1, enumerable: true }),
  ),
)
const edits = fc.array(edit, { maxLength: 3 })

test(
  `${RUNS} values of all contracts: a reader accepts nothing that its schema would not, and gives the same`,
  { timeout: 20_000 + RUNS / 5 },
  () => {
    let accepted = 0
    fc.assert(
      fc.property(fc.constantFrom(...EXAMPLES), edits, ({ schema, data, read }, changes) => {
        const names = Object.keys(data)
        const value = changes.reduce((changed, change) => change(changed, names), data)
        if (read === undefined) return
        const fault = difference(schema, read, value)
        if (fault !== undefined) throw new Error(fault)
        if (read(value) !== undefined) accepted += 1
      }),
      { numRuns: RUNS },
    )
    expect(accepted).toBeGreaterThan(RUNS / 5)
  },
)

test('every contract has a reader, and it reads the recorded example, whatever the order of its members', () => {
  for (const { name, data, read, schema } of EXAMPLES) {
    const turned = Object.fromEntries(Object.entries(data).toReversed())
    expect([name, read?.(data), JSON.stringify(read?.(turned))]).toEqual([
      name,
      schema.parse(data),
      JSON.stringify(schema.parse(turned)),
    ])
  }
})

const member = (schema: z.ZodType) => z.strictObject({ a: schema })
/** Each with a value that its schema accepts, and one that it refuses. */
const ODD_SCHEMAS: Readonly<Record<string, readonly [schema: z.ZodType, good: unknown, bad: unknown]>> = {
  'a transform': [member(z.string().transform((value) => value.length)), { a: 'abc' }, { a: 1 }],
  'a text that is trimmed': [member(z.string().trim().min(1)), { a: ' x ' }, { a: ' ' }],
  'a default': [member(z.string().default('d')), {}, { a: 1 }],
  'a default in an optional': [member(z.string().default('d').optional()), {}, { a: 1 }],
  'a coercion': [member(z.coerce.number()), { a: '5' }, { a: 'x' }],
  'a coerced text': [member(z.coerce.string()), { a: 5 }, { a: Object.create(null) }],
  'a catch': [member(z.string().catch('c')), { a: 1 }, 1],
  'null allowed': [member(z.string().nullable()), { a: null }, { a: 1 }],
  'undefined given for an optional': [member(z.string().optional()), { a: undefined }, { a: 1 }],
  'an optional with a rule': [
    member(
      z
        .string()
        .optional()
        .refine((value) => value !== undefined),
    ),
    { a: 'x' },
    {},
  ],
  'any value': [member(z.unknown()), { a: undefined }, {}],
  'a union': [member(z.union([z.string(), z.number()])), { a: 1 }, { a: true }],
  'a record': [member(z.record(z.string(), z.number())), { a: { b: 1 } }, { a: { b: 'x' } }],
  'a list': [member(z.array(z.string()).max(2)), { a: ['x'] }, { a: ['x', 'y', 'z'] }],
  'an object within': [member(z.strictObject({ b: z.int() })), { a: { b: 1 } }, { a: { b: 1, c: 2 } }],
  'a loose object within': [member(z.looseObject({ b: z.int() })), { a: { b: 1, c: 2 } }, { a: { b: 'x' } }],
  'an object that drops': [z.object({ a: z.string() }), { a: 'x', b: 1 }, { a: 1 }],
  'an object that keeps': [z.looseObject({ a: z.string() }), { a: 'x', b: 1 }, { a: 1 }],
  'a refinement': [member(z.string()).refine((value) => value['a'] !== 'x'), { a: 'y' }, { a: 'x' }],
  'a free check': [
    member(z.string()).superRefine((_, context) => context.addIssue('never')),
    undefined,
    { a: 'x' },
  ],
  'a refined member': [member(z.string().refine((value) => value !== 'x')), { a: 'y' }, { a: 'x' }],
  'a pattern with a memory': [member(z.string().regex(/x/g)), { a: 'x' }, { a: 'y' }],
  'a format with rules of its own': [member(z.url()), { a: 'https://a.b/' }, { a: 'x' }],
  'a least length, by characters': [member(z.string().min(3)), { a: '📈📈📈' }, { a: '📈📈' }],
  'a greatest length, by characters': [member(z.string().max(3)), { a: '📈📈📈' }, { a: 'abcd' }],
  'a number in bounds': [member(z.number().gt(0).lte(1)), { a: 1 }, { a: 0 }],
  'a whole number of 32 bits': [member(z.int32()), { a: 1 }, { a: 2 ** 31 }],
  'a literal': [member(z.literal(['x', 1])), { a: 1 }, { a: '1' }],
  'no object at all': [z.string(), 'x', 1],
}

test.each(Object.entries(ODD_SCHEMAS))('%s is read as its schema reads it', (_name, [schema, good, bad]) => {
  const parse = parserOf(schema)
  for (const value of [good, bad, {}, null]) {
    const [ours, zods] = [parse(value), schema.safeParse(value)]
    expect([ours.success, ours.data, ours.error?.issues]).toEqual([
      zods.success,
      zods.data,
      zods.error?.issues,
    ])
  }
})

test('where code may not be generated, the schema reads alone', () => {
  const program = `
    const { OrderCanceled } = await import('./shared/events/orders.ts')
    const { readerOf } = await import('./shared/events/reader.ts')
    const { data } = JSON.parse(process.argv[1])
    console.log(readerOf(OrderCanceled.schema), OrderCanceled.parse(data).success, OrderCanceled.parse({}).success)`
  const event = readFileSync('shared/events/fixtures/jts.order.canceled.v1.json', 'utf8')
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module']
  const said = execFileSync(process.execPath, [...flags, '-e', program, event], { encoding: 'utf8' })
  expect(said.trim()).toBe('undefined true false')
})
