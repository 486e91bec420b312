// The `jts` command.
import { parseArgs } from 'node:util'
import { readEnvironment } from '#shared/runtime/env-file.ts'
import { COMMANDS, type Command, UsageError } from './commands.ts'
import { openOperator } from './operator-client.ts'

const USAGE = `jts COMMAND [options]

  status                    what runs and how it is
  orders [--limit N]        orders, newest first
  positions                 cash and positions of every account
  why ORDER_ID              the chain from market event to fill
  halt [--reason TEXT]      stop new orders at once; cancels still pass
  resume [--reason TEXT]    let orders pass again

  --data DIR                data directory (default JTS_DATA_DIRECTORY or .jts)
  --json                    print what was answered as it is

The suite itself is started with \`npm start\`.
`

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      json: { type: 'boolean', default: false },
      limit: { type: 'string' },
      reason: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const [name = '', ...words] = positionals
  if (values.help || name === '' || name === 'help') {
    process.stdout.write(USAGE)
    return name === '' && !values.help ? 2 : 0
  }
  const command: Command | undefined = COMMANDS[name]
  if (command === undefined) throw new UsageError(`${name}: no such command`)
  const request = command.request(words, values)

  const environment = readEnvironment(process.env)
  const operator = await openOperator(values.data ?? environment['JTS_DATA_DIRECTORY'] ?? '.jts')
  try {
    const answer = await operator.send(request)
    if (answer.fault !== undefined) {
      process.stderr.write(`${answer.fault}\n`)
      return 1
    }
    process.stdout.write(
      values.json ? `${JSON.stringify(answer.body, null, 2)}\n` : command.show(answer.body),
    )
    return 0
  } finally {
    await operator.close()
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = error instanceof UsageError || (error instanceof TypeError && 'code' in error) ? 2 : 1
}
