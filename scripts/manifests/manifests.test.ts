import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'
import { manifestFiles } from './files.ts'
import { secretNameOf, takeInventory } from './inventory.ts'
import { stackFile } from './openfaas.ts'

const inventory = await takeInventory(process.cwd())
const files = manifestFiles(inventory)
const textOf = (path: string): string => files.get(path) ?? ''
const names = inventory.functions.map(({ name }) => name)

test.each([...files.keys()])('%s is not what the definitions say: run `npm run manifests`', (path) => {
  expect(readFileSync(path, 'utf8')).toBe(textOf(path))
})

const Seconds = z
  .string()
  .regex(/^\d+s$/)
  .transform(Number.parseFloat)
const Texts = z.record(z.string(), z.string())
const Amounts = z.strictObject({ cpu: z.string(), memory: z.string() })
/** What faas-cli reads of a stack file. */
const Stack = z.strictObject({
  version: z.literal('1.0'),
  provider: z.strictObject({ name: z.literal('openfaas'), gateway: z.string() }),
  functions: z.record(
    z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/),
    z.strictObject({
      lang: z.literal('jts-node'),
      handler: z.string(),
      image: z.string(),
      labels: Texts,
      annotations: Texts,
      environment: z.looseObject({ exec_timeout: Seconds, read_timeout: Seconds, write_timeout: Seconds }),
      secrets: z.array(z.string()),
      limits: Amounts,
      requests: Amounts,
      readonly_root_filesystem: z.literal(true),
    }),
  ),
})

describe.each(['stack.yml', 'infra/openfaas/stack.pro.yml'])('%s', (path) => {
  const stack = Stack.parse(parse(textOf(path)))

  test('leaves out a function', () => {
    expect(Object.keys(stack.functions)).toEqual(names)
  })

  test('gives up on a function before the function does', () => {
    const gateway = parse(textOf('infra/openfaas/gateway-values.yaml')) as {
      gateway: { upstreamTimeout: string; readTimeout: string; writeTimeout: string }
    }
    const upstream = Number.parseFloat(gateway.gateway.upstreamTimeout)
    expect(Number.parseFloat(gateway.gateway.readTimeout)).toBeGreaterThan(upstream)
    expect(Number.parseFloat(gateway.gateway.writeTimeout)).toBeGreaterThan(upstream)
    for (const { name, definition } of inventory.functions) {
      const { exec_timeout, read_timeout, write_timeout } = stack.functions[name]?.environment ?? {}
      expect(exec_timeout).toBeGreaterThan((2 * definition.timeoutMs) / 1_000)
      expect(read_timeout).toBeGreaterThan(exec_timeout ?? Infinity)
      expect(write_timeout).toBeGreaterThan(exec_timeout ?? Infinity)
      expect(upstream).toBeGreaterThan(write_timeout ?? Infinity)
    }
  })

  test('does not tell the bridge what a function consumes', () => {
    for (const { name, definition } of inventory.functions) {
      const types = (stack.functions[name]?.annotations['jts.events'] ?? '').split(',')
      expect(types.toSorted()).toEqual(definition.consumes.map(({ type }) => type).toSorted())
    }
  })

  test('shows a secret, or asks for none where the function has one', () => {
    for (const { name, settings } of inventory.functions) {
      const { environment = {}, secrets = [] } = stack.functions[name] ?? {}
      const own = settings.filter(({ secret }) => secret)
      const shown = own.filter((setting) => setting.name in environment)
      expect(shown.map((setting) => setting.name)).toEqual([])
      const wanted = own.filter((setting) => !setting.name.startsWith('JTS_KAFKA_')).map(secretNameOf)
      expect(secrets.toSorted()).toEqual(wanted.toSorted())
    }
  })

  test('gives a function that may have one instance several', () => {
    for (const { name, definition } of inventory.functions) {
      const most = Number(stack.functions[name]?.labels['com.openfaas.scale.max'])
      expect(most).toBeLessThanOrEqual(definition.scale.max)
    }
  })
})

test('stack.yml is refused by the Community Edition', () => {
  const entries = Object.entries(Stack.parse(parse(textOf('stack.yml'))).functions)
  expect(entries.length).toBeLessThanOrEqual(15)
  for (const [name, { labels, annotations }] of entries) {
    expect(Object.keys(labels), name).toEqual(['com.openfaas.scale.min', 'com.openfaas.scale.max'])
    const [least = 0, most = 0] = Object.values(labels).map(Number)
    expect([least >= 1, least <= most, most <= 5], name).toEqual([true, true, true])
    expect(annotations['topic'] ?? '', name).not.toContain(',')
  }
})

test('a sixteenth function is refused before the gateway refuses it', () => {
  const [some] = inventory.functions
  if (some === undefined) throw new Error('there is no function')
  const many = Array.from({ length: 16 }, (_, index) => ({ ...some, name: `function-${index}` }))
  expect(() => stackFile({ functions: many, connectors: [] }, 'community')).toThrow(
    '16 functions; OpenFaaS CE takes at most 15',
  )
})
