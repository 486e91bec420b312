// docs/events.md: the catalogue of events.
import * as z from 'zod'
import { type EventContract, TOPICS, type Topic } from '#shared/events/contract.ts'
import type { Participant } from './repository.ts'

interface Field {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly pattern?: string
  readonly description?: string
  readonly items?: Field
  readonly anyOf?: readonly Field[]
}

const HEADER = `# Events

Printed from \`shared/events\`, \`functions/*/function.ts\` and \`connectors/*/connector.ts\` by \`node scripts/docs.ts\`. Do not edit.

Every event is a CloudEvent 1.0 with JSON data and carries \`id\`, \`source\`, \`type\`, \`subject\`, \`time\`, \`partitionkey\`,
\`correlationid\`, \`causationid\` and \`traceparent\`. Money, prices and quantities are decimal strings. What stays in order is
what has the same key. Members that a contract does not name are refused. What cannot be handled stands on
\`<topic>.dead-letter\`.
`

export function eventsDoc(contracts: readonly EventContract[], participants: readonly Participant[]): string {
  const topics = (Object.entries(TOPICS) as [Topic, string][]).map(([topic, carries]) => {
    const own = contracts.filter((contract) => contract.topic === topic)
    return [
      `## ${topic}`,
      `Carries ${carries}.`,
      ...own.map((contract) => contractDoc(contract, participants)),
    ].join('\n\n')
  })
  return `${[HEADER.trim(), overview(contracts, participants), ...topics].join('\n\n')}\n`
}

function overview(contracts: readonly EventContract[], participants: readonly Participant[]): string {
  const rows = participants.map(({ name, summary, consumes, produces }) => {
    const names = (types: readonly string[]): string =>
      types.length > 1 && types.length === contracts.length
        ? 'every event'
        : contracts
            .filter(({ type }) => types.includes(type))
            .map((contract) => contract.name)
            .join(', ') || '–'
    return `| ${name} | ${cell(summary)} | ${names(consumes)} | ${names(produces)} |`
  })
  return [
    '## Who takes part',
    ['| who | what it does | consumes | produces |', '|---|---|---|---|', ...rows].join('\n'),
  ].join('\n\n')
}

function contractDoc(contract: EventContract, participants: readonly Participant[]): string {
  const who = (side: 'produces' | 'consumes'): string =>
    participants
      .filter((each) => each[side].includes(contract.type))
      .map(({ name }) => `\`${name}\``)
      .join(', ') || 'nobody yet'
  return [
    `### ${contract.name}`,
    contract.summary,
    [
      `- type \`${contract.type}\`, key \`${shapeOf((data) => contract.key(data))}\`, subject \`${shapeOf((data) => contract.subject(data))}\``,
      `- produced by ${who('produces')}; consumed by ${who('consumes')}`,
      `- example: [\`${contract.type}.json\`](../shared/events/fixtures/${contract.type}.json)`,
    ].join('\n'),
    fieldsOf(contract),
  ].join('\n\n')
}

/** What a key is made of: \`{strategyId}/{instrumentId}\`. */
const shapeOf = (make: (data: unknown) => string): string =>
  make(new Proxy({}, { get: (_target, name) => `{${String(name)}}` }))

function fieldsOf({ schema }: EventContract): string {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { unrepresentable: 'any' })
  const rows = Object.entries(properties).map(
    ([name, field]) =>
      `| \`${name}\` | ${typeOf(field as Field)} | ${required.includes(name) ? 'yes' : 'no'} |`,
  )
  return ['| field | type | always there |', '|---|---|---|', ...rows].join('\n')
}

function typeOf(field: Field): string {
  if (field.enum !== undefined) return field.enum.map((each) => `\`${String(each)}\``).join(' ')
  if (field.anyOf !== undefined) return field.anyOf.map(typeOf).join(' or ')
  if (field.type === 'array') return `list of ${typeOf(field.items ?? {})}`
  if (field.format === 'date-time') return 'time'
  if (field.format === 'date') return 'date'
  if (field.type === 'string' && field.pattern !== undefined) return patternOf(field.pattern)
  return field.type === undefined ? 'anything' : [field.type].flat().join(' or ').replace('string', 'text')
}

/** Patterns as people know them; see `shared/events/wire.ts`. */
function patternOf(pattern: string): string {
  const known: readonly (readonly [beginsWith: string, name: string])[] = [
    ['^-?\\d+(\\.', 'decimal'],
    ['^\\d+(\\.', 'decimal, not below 0'],
    ['^(?=.*[1-9])', 'price, above 0'],
    ['^0*[1-9]', 'whole number, above 0'],
    ['^\\d+$', 'whole number'],
    ['^-?\\d+$', 'whole number, signed'],
    ['^[A-Z0-9]', '`SYMBOL.VENUE`'],
  ]
  return known.find(([start]) => pattern.startsWith(start))?.[1] ?? 'text'
}

export const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')
