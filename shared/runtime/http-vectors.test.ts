import { Agent } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Event } from '#shared/events/contract.ts'
import { STRICTNESS_BAD, STRICTNESS_GOOD } from './cloudevents/http-strictness.ts'
import { ORDER, type Vector } from './cloudevents/http-vector.ts'
import { BINARY_VECTORS } from './cloudevents/http-vectors-binary.ts'
import { STRUCTURED_VECTORS } from './cloudevents/http-vectors-structured.ts'
import type { Problem } from './problem.ts'
import { type TestServer, openServer, send } from './server.fixture.ts'

const HTTP_VECTORS = [...BINARY_VECTORS, ...STRUCTURED_VECTORS]

let server: TestServer
let handled: Event[] = []
const agent = new Agent({ keepAlive: true })

beforeAll(async () => {
  server = await openServer(async (event) => {
    handled.push(event)
    return []
  })
})
afterAll(async () => {
  agent.destroy()
  await server.close()
})

test('there are enough vectors, and no two are called the same', () => {
  expect(HTTP_VECTORS.length).toBeGreaterThanOrEqual(120)
  expect(new Set(HTTP_VECTORS.map(({ name }) => name)).size).toBe(HTTP_VECTORS.length)
})

const ACCEPTED = HTTP_VECTORS.filter(({ status }) => status === 204)
const REFUSED = HTTP_VECTORS.filter(({ status }) => status !== 204)
const byName = (vectors: readonly Vector[]) => vectors.map((vector) => [vector.name, vector] as const)

test.each(byName(ACCEPTED))('accepted: %s', async (_name, { headers, body, expect: expected }) => {
  handled = []
  const answer = await send(server.port, { headers, body, agent })
  expect([answer.status, answer.body]).toEqual([204, ''])
  const first: object = handled[0] ?? {}
  expect({ ...first, ...expected }).toEqual(first)
})

test.each(byName(REFUSED))('refused: %s', async (_name, { headers, body, status, pointer }) => {
  handled = []
  const answer = await send(server.port, { headers, body, agent })
  expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/problem+json'])
  const { faults = [], status: stated } = JSON.parse(answer.body) as Problem
  expect(stated).toBe(status)
  expect(faults.map((fault) => fault.pointer)).toContain(pointer)
})

test('strictness: 38 of 38, 12 accepted as they were sent and 26 refused', async () => {
  const right: string[] = []
  for (const { name, headers, body, expect: wanted } of STRICTNESS_GOOD) {
    handled = []
    const { status } = await send(server.port, { headers, body, agent })
    const first: object = handled[0] ?? {}
    if (
      status === 204 &&
      handled.length === 1 &&
      isDeepStrictEqual({ ...first, data: ORDER, ...wanted }, first)
    )
      right.push(name)
  }
  expect(right).toEqual(STRICTNESS_GOOD.map(({ name }) => name))
  for (const { name, headers, body } of STRICTNESS_BAD) {
    handled = []
    const { status } = await send(server.port, { headers, body, agent })
    if (status >= 400 && status < 500 && handled.length === 0) right.push(name)
  }
  expect(right).toEqual([...STRICTNESS_GOOD, ...STRICTNESS_BAD].map(({ name }) => name))
  expect([STRICTNESS_GOOD.length, STRICTNESS_BAD.length, new Set(right).size]).toEqual([12, 26, 38])
})
