import { Agent } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Event } from '#shared/events/contract.ts'
import type { Vector } from './cloudevents/http-vector.ts'
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
