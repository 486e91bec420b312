import * as z from 'zod'
import { expect, test } from 'vitest'
import { CONTRACTS } from '#shared/events/catalogue.ts'
import { defineEvent } from '#shared/events/contract.ts'
import { describeConfig } from '#shared/runtime/setting.ts'
import { configurationDoc, envExample } from './configuration.ts'
import { eventsDoc } from './events.ts'
import { loadParticipants, loadSections } from './repository.ts'

const Tested = defineEvent({
  name: 'ThingTested',
  type: 'jts.thing.tested.v1',
  topic: 'orders',
  summary: 'A thing was tested.',
  key: (thing) => `${thing.owner}/${thing.thing}`,
  subject: (thing) => thing.thing,
  schema: z.strictObject({
    owner: z.string(),
    thing: z.string(),
    side: z.enum(['left', 'right']),
    testedTime: z.iso.datetime({ offset: true }).optional(),
  }),
})
const tester = { name: 'tester', summary: 'Tests | things.', consumes: [], produces: [Tested.type] }

test('an event is shown with its key, its parties and its fields', () => {
  const page = eventsDoc([Tested], [tester])
  expect(page).toContain('type `jts.thing.tested.v1`, key `{owner}/{thing}`, subject `{thing}`')
  expect(page).toContain('produced by `tester`; consumed by nobody yet')
  expect(page).toContain('| `side` | `left` `right` | yes |')
  expect(page).toContain('| `testedTime` | time | no |')
  expect(page).toContain(String.raw`| tester | Tests \| things. | – | ThingTested |`)
})

test('no contract is left out of the catalogue', () => {
  const page = eventsDoc(CONTRACTS, [])
  expect(CONTRACTS.filter(({ name }) => !page.includes(`\n### ${name}\n`))).toEqual([])
})

const settings = describeConfig(
  z.object({
    JTS_LIMIT: z.string().describe('Largest loss, won.'),
    JTS_PORT: z.coerce.number().int().min(1).default(3000).describe('Port.'),
    JTS_API_TOKEN: z.string().optional().describe('Lets people in.'),
  }),
)
const section = { title: 'test', path: 'functions/test/config.ts', settings }

test('a setting is shown with its default, its need and its secrecy', () => {
  const page = configurationDoc([section])
  expect(page).toContain('| `JTS_LIMIT` | text | **required** | Largest loss, won. |')
  expect(page).toContain('| `JTS_PORT` | integer from 1 | `3000` | Port. |')
  expect(page).toContain('| `JTS_API_TOKEN` | text | unset | Lets people in. Secret. |')
})

test('the example sets nothing by being copied, and names a setting once', () => {
  const lines = envExample([section, section]).split('\n')
  expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toEqual([])
  expect(lines.filter((line) => line.includes('JTS_PORT='))).toEqual(['# JTS_PORT=3000'])
})

test('definitions and settings are found where they stand, and missing folders are no fault', async () => {
  const participants = await loadParticipants(process.cwd())
  expect(participants.map(({ name }) => name)).toContain('risk-check')
  const sections = await loadSections(process.cwd())
  expect(sections.map(({ title }) => title)).toContain('risk-check')
  expect(await loadParticipants('/nowhere')).toEqual([])
  expect(await loadSections('/nowhere')).toEqual([])
})

test('every setting is explained', async () => {
  const silent = (await loadSections(process.cwd())).flatMap(({ path, settings: own }) =>
    own.filter(({ description }) => description === '').map(({ name }) => `${path} ${name}`),
  )
  expect(silent).toEqual([])
})
