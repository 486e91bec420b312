// The language template as faas-cli puts it together: the template's files, and the handler's in `function/`.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { templateFiles } from './runtime.ts'

const DENIED = readFileSync('shared/events/fixtures/jts.order.denied.v1.json', 'utf8')
const runtime = await templateFiles(process.cwd())

let context = ''
let children: ChildProcess[] = []

beforeEach(() => {
  context = mkdtempSync(join(tmpdir(), 'jts-template-'))
  cpSync('template/jts-node', context, { recursive: true })
  for (const [path, text] of runtime)
    writeFileSync(join(context, path.slice('template/jts-node/'.length)), text)
  symlinkSync(resolve('node_modules'), join(context, 'node_modules'))
})
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || !child.kill('SIGKILL')) continue
    await once(child, 'exit')
  }
  children = []
  rmSync(context, { recursive: true, force: true })
})

const start = (): ChildProcess => {
  const environment = { ...process.env, PORT: '0', JTS_DRAIN_GRACE_MS: '0', LOG_LEVEL: 'info' }
  const child = spawn(process.execPath, ['index.js'], { cwd: context, env: environment })
  children.push(child)
  return child
}

async function portOf({ stdout }: ChildProcess): Promise<number> {
  if (stdout === null) throw new Error('no output is read')
  for await (const line of createInterface({ input: stdout })) {
    const { port } = JSON.parse(line) as { readonly port?: number }
    if (port !== undefined) return port
  }
  throw new Error('it ended before it listened')
}

/** As `faas-cli invoke` does. */
const invoke = (port: number, body: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body })

const handlerIs = (source: string): void => writeFileSync(join(context, 'function/handler.js'), source)

test('the sample answers an event with what it emits, and ends in peace', async () => {
  const child = start()
  const port = await portOf(child)
  const response = await invoke(port, DENIED)
  expect([response.status, await response.json()]).toMatchObject([
    200,
    [{ type: 'jts.notification.requested.v1', data: { recipient: 'on-call', severity: 'warning' } }],
  ])
  expect((await fetch(`http://127.0.0.1:${port}/_/ready`)).status).toBe(200)
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})

test("the sample's own test passes", () => {
  const { status, stdout } = spawnSync(process.execPath, ['--test'], {
    cwd: join(context, 'function'),
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  })
  expect([status, stdout]).toEqual([0, expect.stringContaining('pass 1')])
})

test('a handler throws to have an event again, or to have it set aside', async () => {
  handlerIs(`
    export const definition = { name: 'picky', consumes: ['OrderDenied'] }
    export const handle = async ({ data }, { RetryableError, PoisonError }) => {
      throw data.detail === 'later' ? new RetryableError('not now') : new PoisonError('never')
    }`)
  const port = await portOf(start())
  const event = JSON.parse(DENIED) as { readonly data: object }
  const later = { ...event, data: { ...event.data, detail: 'later' } }
  expect((await invoke(port, JSON.stringify(later))).status).toBe(503)
  expect((await invoke(port, DENIED)).status).toBe(422)
})

test('a handler emits what it does not declare, or what no contract allows', async () => {
  handlerIs(`
    export const definition = { name: 'sloppy', consumes: ['OrderDenied'], produces: ['NotificationRequested'] }
    export const handle = () => [{ contract: 'NotificationRequested', data: { severity: 'terrible' } }]`)
  const child = start()
  expect((await invoke(await portOf(child), DENIED)).status).toBe(500)
  // A defect: the process ends, and its platform starts another.
  expect(await once(child, 'exit')).toEqual([1, null])
})

test('a handler that is wrong is told all that is wrong with it, and starts nothing', async () => {
  handlerIs(`export const definition = { name: 'Bad Name', consumes: ['OrderRefused'], timeoutMs: 0 }`)
  const child = start()
  const told: Buffer[] = []
  child.stderr?.on('data', (chunk: Buffer) => told.push(chunk))
  expect(await once(child, 'close')).toEqual([2, null])
  const text = Buffer.concat(told).toString()
  expect(text).toContain('definition.name: must be lower-case letters, digits and dashes')
  expect(text).toContain('definition.consumes.0: there is no event OrderRefused')
  expect(text).toContain('definition.timeoutMs:')
  expect(text).toContain('handle: must be a function')
})

test('a bundle of JTS is started as it is', async () => {
  writeFileSync(join(context, 'function/index.mjs'), `process.stdout.write('{"port":1}\\n')`)
  const child = start()
  expect(await portOf(child)).toBe(1)
})
