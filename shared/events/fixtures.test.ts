// One recorded example of each released version of each contract. An example is never edited: when it no longer parses,
// the contract has been broken, and needs a new version beside the old one.
import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { CONTRACTS, contractOf } from './catalogue.ts'
import { type Event, TOPICS } from './contract.ts'

const DIRECTORY = 'shared/events/fixtures'
const textOf = (type: string): string => readFileSync(`${DIRECTORY}/${type}.json`, 'utf8')
const types = readdirSync(DIRECTORY).map((name) => name.replace(/\.json$/, ''))

test('every contract has a recorded example', () => {
  expect(types.toSorted()).toEqual(expect.arrayContaining(CONTRACTS.map(({ type }) => type).toSorted()))
})

test('every released version still has its contract', () => {
  expect(types.filter((type) => contractOf(type) === undefined)).toEqual([])
})

test('no two contracts share a type or a name', () => {
  expect(new Set(CONTRACTS.map(({ type }) => type)).size).toBe(CONTRACTS.length)
  expect(new Set(CONTRACTS.map(({ name }) => name)).size).toBe(CONTRACTS.length)
})

describe.each(CONTRACTS.map((contract) => [contract.type, contract] as const))('%s', (type, contract) => {
  test('is named jts.<noun>.<participle>.v<n>, on a topic that is, with a sentence for the catalogue', () => {
    expect(type).toMatch(/^jts\.[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*\.v[1-9]\d*$/)
    expect(Object.keys(TOPICS)).toContain(contract.topic)
    expect(contract.summary).toMatch(/^[A-Z].*\.$/)
  })

  test('its recorded example still parses, and is written as it was read', () => {
    const event = JSON.parse(textOf(type)) as Event
    const data = contract.schema.parse(event.data)
    expect(event.type).toBe(type)
    expect(`${JSON.stringify({ ...event, data }, null, 2)}\n`).toBe(textOf(type))
  })

  test('key and subject are found in the data, and are what the example was sent with', () => {
    const event = JSON.parse(textOf(type)) as Event
    expect([contract.key(event.data), contract.subject(event.data)]).toEqual([
      event.partitionkey,
      event.subject,
    ])
  })

  test('a member that nobody knows is refused: two versions never mix', () => {
    const { data } = JSON.parse(textOf(type)) as { data: object }
    expect(contract.schema.safeParse({ ...data, unknownMember: 1 }).success).toBe(false)
  })
})
