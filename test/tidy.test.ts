// The repository checks its own rules. Each rule is itself tested with what it must catch, and with what it must let pass.
import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { importFault } from './tidy/imports.ts'
import { RULES, faultsIn, missingTests } from './tidy/rules.ts'
import { parseSource } from './tidy/source.ts'

const FOLDERS = ['functions', 'connectors', 'apps', 'shared', 'scripts', 'test']

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => `${entry.parentPath}/${entry.name}`.replaceAll('\\', '/'))
    .filter((path) => !/(^|\/)(node_modules|dist|coverage)\//.test(path))

const paths = FOLDERS.flatMap(filesOf).toSorted()

describe('the repository', () => {
  test('is read whole', () => {
    expect(paths.length).toBeGreaterThan(100)
    expect(paths).toContain('test/tidy.test.ts')
  })

  test.each(Object.entries(RULES))('keeps the rule %s', (_name, rule) => {
    const faults = paths.flatMap((path) => rule(parseSource(path, readFileSync(path, 'utf8'))))
    expect(faults.map(({ path, line, detail }) => `${path}:${line} ${detail}`)).toEqual([])
  })

  test('has a test beside every decision', () => {
    expect(missingTests(paths)).toEqual([])
  })
})

describe('imports', () => {
  test.each([
    ['functions/risk-check/handler.ts', '../place-order/decide.ts'],
    ['functions/risk-check/handler.ts', 'ioredis'],
    ['functions/risk-check/handler.ts', 'node:fs'],
    ['functions/risk-check/handler.ts', '#shared/adapters/redis/hot-state.ts'],
    ['functions/risk-check/handler.ts', '#shared/wiring/redis.ts'],
    ['shared/runtime/host.ts', '#shared/wiring/redis.ts'],
    ['functions/risk-check/decide.ts', './decide'],
    ['functions/risk-check/handler.ts', './build.fixture.ts'],
    ['shared/domain/order.ts', 'node:crypto'],
    ['shared/domain/order.ts', 'zod'],
    ['shared/domain/order.ts', '#shared/events/orders.ts'],
    ['shared/events/orders.ts', '#shared/runtime/host.ts'],
    ['shared/events/orders.ts', 'kafkajs'],
    ['shared/ports/clock.ts', '#shared/adapters/system/clock.ts'],
    ['shared/runtime/host.ts', '#shared/adapters/system/clock.ts'],
    ['shared/runtime/host.ts', '../../functions/notify/function.ts'],
    ['shared/simulation/matching.ts', 'node:fs'],
    ['shared/adapters/redis/hot-state.ts', '../kafka/event-bus.ts'],
    ['shared/adapters/redis/hot-state.ts', '#shared/runtime/log.ts'],
    ['connectors/kis-stream/stream.ts', '../scheduler/schedule.ts'],
    ['connectors/kis-stream/stream.ts', '../../functions/notify/decide.ts'],
    ['apps/embedded/main.ts', '../../functions/notify/main.ts'],
    ['scripts/docs.ts', '../apps/embedded/main.ts'],
    ['test/end-to-end/order.test.ts', '../../functions/notify/main.ts'],
  ])('%s may not import %s', (from, specifier) => {
    expect(importFault(from, specifier)).toBeDefined()
  })

  test.each([
    ['functions/risk-check/handler.ts', './decide.ts'],
    ['functions/risk-check/handler.ts', '#shared/runtime/function.ts'],
    ['functions/risk-check/handler.test.ts', '#shared/adapters/memory/hot-state.ts'],
    ['functions/risk-check/main.ts', '#shared/adapters/redis/hot-state.ts'],
    ['functions/risk-check/config.ts', 'zod'],
    ['connectors/kis-stream/stream.ts', 'ws'],
    ['shared/ports/hot-state.contract.ts', 'vitest'],
    ['shared/adapters/kafka/event-bus.ts', 'kafkajs'],
    ['apps/embedded/suite.ts', '../../functions/notify/handler.ts'],
  ])('%s may import %s', (from, specifier) => {
    expect(importFault(from, specifier)).toBeUndefined()
  })
})

const long = (lines: number): string => '  step()\n'.repeat(lines)

describe('code', () => {
  test.each([
    ['the clock', 'shared/runtime/x.ts', 'const now = Date.now()'],
    ['a new date', 'functions/x/handler.ts', 'const now = new Date()'],
    ['randomness', 'shared/domain/x.ts', 'const x = Math.random()'],
    ['an id', 'connectors/x/y.ts', 'const id = crypto.randomUUID()'],
    ['a timer', 'apps/x/y.ts', 'setTimeout(run, 1)'],
    ['the process clock', 'scripts/x.ts', 'const at = performance.now()'],
    [
      'a clock inside a function',
      'shared/runtime/x.ts',
      'const f = (a = /[`\'"]/) => {\n  return Date.now()\n}',
    ],
    ['a skipped test', 'shared/runtime/x.test.ts', "test.skip('later', () => {})"],
    ['the only test', 'shared/runtime/x.test.ts', "describe.only('me', () => {})"],
    ['a mock of our own', 'shared/runtime/x.test.ts', "vi.mock('./host.ts')"],
    ['a variable of the module', 'shared/runtime/x.ts', 'let count = 0'],
    ['a cache of the module', 'shared/runtime/x.ts', 'const cache = new Map<string, number>()'],
    ['a list of the module', 'shared/runtime/x.ts', 'export const seen: string[] = []'],
    ['a TODO', 'shared/runtime/x.ts', '// TODO later'],
    ['a FIXME in a block', 'shared/runtime/x.ts', '/*\n * FIXME this\n */'],
    ['a file of 401 lines', 'shared/runtime/x.ts', 'x\n'.repeat(401)],
    ['a function of 71 lines', 'shared/runtime/x.ts', `function f(): void {\n${long(69)}}`],
    [
      'an arrow of 72 lines',
      'shared/runtime/x.ts',
      `const f = async (a: string): Promise<void> => {\n${long(71)}}`,
    ],
    [
      'a method of 72 lines',
      'shared/runtime/x.ts',
      `class A {\n  run(a: { b: string }): void {\n${long(71)}  }\n}`,
    ],
    [
      'a function with a long header',
      'shared/runtime/x.ts',
      `export function f(\n  a: string,\n): void {\n${long(71)}}`,
    ],
    ['a test of 72 lines', 'shared/runtime/x.test.ts', `test('x', () => {\n${long(71)}})`],
    ['a barrel', 'shared/runtime/index.ts', 'export const x = 1'],
    ['a drawer', 'shared/runtime/utils.ts', 'export const x = 1'],
    ['a name in camel case', 'shared/runtime/orderStore.ts', 'export const x = 1'],
  ])('catches %s', (_name, path, text) => {
    expect(faultsIn(parseSource(path, text))).toHaveLength(1)
  })

  test.each([
    ['the clock where it belongs', 'shared/adapters/system/clock.ts', 'const now = Date.now()'],
    ['the clock in a test', 'shared/runtime/x.test.ts', 'const now = Date.now()'],
    ['a date of something', 'shared/runtime/x.ts', 'const at = new Date(ms)'],
    ['the clock in a comment', 'shared/runtime/x.ts', '// never Date.now()\n/* nor setTimeout( */'],
    [
      'the clock in a text',
      'shared/runtime/x.ts',
      'const text = "Date.now()" + `new Date() ${a}` + \'setTimeout(\'',
    ],
    ['the clock in a pattern', 'shared/runtime/x.ts', 'const pattern = /Date.now/'],
    ['a division', 'shared/runtime/x.ts', 'const half = a / b / c // "quoted\nconst x = 1'],
    ['a variable of a function', 'shared/runtime/x.ts', 'const f = () => {\n  let count = 0\n}'],
    ['nothing, named', 'shared/runtime/x.ts', 'const NOTHING: readonly string[] = []'],
    ['a table', 'shared/runtime/x.ts', "const table = new Map([['a', 1]])"],
    ['a TODO with its issue', 'shared/runtime/x.ts', '// TODO(#12) later'],
    ['a file of 400 lines', 'shared/runtime/x.ts', 'x\n'.repeat(400)],
    ['a function of 70 lines', 'shared/runtime/x.ts', `function f(): void {\n${long(68)}}`],
    ['a long table', 'shared/runtime/x.ts', `const table = {\n${'  a: 1,\n'.repeat(90)}}`],
    ['a long interface', 'shared/runtime/x.ts', `interface A {\n${'  a: 1\n'.repeat(90)}}`],
    [
      'a long class of short methods',
      'shared/runtime/x.ts',
      `class A extends B<string> {\n${'  a(): void {\n  }\n'.repeat(50)}}`,
    ],
    [
      'a long group of tests',
      'shared/runtime/x.test.ts',
      `describe('x', () => {\n${long(90)}test('y', f)\n})`,
    ],
  ])('lets %s pass', (_name, path, text) => {
    expect(faultsIn(parseSource(path, text))).toEqual([])
  })

  test('catches a decision without a test', () => {
    expect(
      missingTests(['functions/a/decide.ts', 'functions/b/decide.ts', 'functions/b/decide.test.ts']),
    ).toMatchObject([{ path: 'functions/a/decide.ts' }])
  })
})
