// Prints docs/order-lifecycle.md from the table in shared/domain/order-lifecycle.ts.
import {
  NEXT,
  ORDER_STATUSES,
  ORDER_STEPS,
  type OrderStatus,
  type OrderStep,
  isClosed,
  isWorking,
} from '#shared/domain/order-lifecycle.ts'

/** Where `resume` can lead. */
const RESUMED: readonly OrderStatus[] = ['accepted', 'partiallyFilled']

const legalSteps = (from: OrderStatus): readonly OrderStep[] =>
  ORDER_STEPS.filter((step) => NEXT[from][step] !== undefined)

function targetsOf(from: OrderStatus, step: OrderStep): readonly OrderStatus[] {
  const next = NEXT[from][step]
  return next === undefined ? [] : next === 'resume' ? RESUMED : [next]
}

/** One arrow for each pair of statuses, with all the steps that lead along it. */
function arrows(): readonly string[] {
  return ORDER_STATUSES.flatMap((from) => {
    const steps = new Map<OrderStatus, OrderStep[]>()
    for (const step of legalSteps(from)) {
      for (const to of targetsOf(from, step)) steps.set(to, [...(steps.get(to) ?? []), step])
    }
    return [...steps].map(([to, names]) => `  ${from} --> ${to}: ${names.join(', ')}`)
  })
}

function diagram(): string {
  const ends = ORDER_STATUSES.filter(isClosed).map((status) => `  ${status} --> [*]`)
  return ['```mermaid', 'stateDiagram-v2', '  [*] --> requested', ...arrows(), ...ends, '```'].join('\n')
}

const groupOf = (status: OrderStatus): string =>
  isClosed(status) ? 'closed' : isWorking(status) ? 'working' : 'before or unclear'

const lineOf = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

function matrix(): string {
  const rows = ORDER_STATUSES.map((from) => [
    `**${from}**`,
    groupOf(from),
    ...ORDER_STEPS.map((step) => targetsOf(from, step).join(' or ')),
  ])
  const header = ['from \\ step', 'group', ...ORDER_STEPS]
  return [lineOf(header), lineOf(header.map(() => '---')), ...rows.map(lineOf)].join('\n')
}

function count(): string {
  const legal = ORDER_STATUSES.reduce((sum, from) => sum + legalSteps(from).length, 0)
  const pairs = ORDER_STATUSES.length * ORDER_STEPS.length
  return `${ORDER_STATUSES.length} statuses, ${ORDER_STEPS.length} steps: ${legal} of ${pairs} pairs are legal.`
}

/** The whole page, markdown, ending with a newline. */
export function orderLifecycleDoc(): string {
  return `# An order's life

${count()} Any other step is a defect or a lie: the report that asks for it is quarantined, never forced. Printed from
\`shared/domain/order-lifecycle.ts\`, where each odd row is explained.

${diagram()}

- **working**: acknowledged by the broker and not yet closed.
- **closed**: nothing more is expected, and nothing is reserved. What a closed order still accepts is a fill that crossed
  its end, or an acknowledgement that came late. A parked order is not closed: a person decides.
- **outcomeUnknown** is left by evidence only. \`submit\` from there means that the order is provably not at the broker.
- Where two statuses stand in a cell, the order goes back to \`partiallyFilled\` if it has traded, else to \`accepted\`.

${matrix()}
`
}
