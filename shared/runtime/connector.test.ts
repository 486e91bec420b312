import { expect, test } from 'vitest'
import { endOf, startProgram } from '../../test/program.ts'

const PATH = 'shared/runtime/connector.fixture.ts'

test('says over HTTP that it lives and why it is not ready, takes no events, and ends its work before its connections', async () => {
  const program = await startProgram(PATH, { MODE: 'goes on' })
  expect((await fetch(`http://127.0.0.1:${program.port}/health`)).status).toBe(200)
  expect((await fetch(`http://127.0.0.1:${program.port}/metrics`)).status).toBe(200)
  expect(await program.notReady()).toEqual(['not connected: the far side is away'])
  expect(await program.stop()).toEqual([0, null])
  expect(program.said()).toMatch(/work let go[^]*connection closed/)
})

test.each([
  ['breaks', 'the far side is gone'],
  ['ends', 'it came to its end by itself'],
])('work that %s closes its connections and ends the process with code 1', async (MODE, reason) => {
  const { code, said } = await endOf(PATH, { MODE })
  expect(said).toContain(reason)
  expect(said).toContain('connection closed')
  expect(code).toBe(1)
})

test('work that breaks while it is ended is told of, and the end goes on', async () => {
  const program = await startProgram(PATH, { MODE: 'breaks at the end' })
  expect(await program.stop()).toEqual([0, null])
  expect(program.said()).toMatch(/late[^]*connection closed/)
})
