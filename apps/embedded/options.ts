// What a person may say on the command line of `npm start --`.
import { parseArgs } from 'node:util'

export interface Options {
  /** A recorded file or directory to run instead of the seeded market. */
  readonly replay?: string
  /** Times real time, or as fast as everything can follow. */
  readonly speed?: number | 'max'
  /** End the process when the market ends. */
  readonly exit: boolean
  /** Where to write what happened, JSON. */
  readonly summary?: string
  /** Where state is kept. */
  readonly data?: string
  readonly seed?: number
  /** End after this many market events. */
  readonly events?: number
  readonly isHelp: boolean
}

export class OptionsError extends Error {
  override name = 'OptionsError'
}

export const USAGE = `npm start -- [options]

  --replay FILE_OR_DIR   run recorded market data through the simulator instead of the seeded market
  --speed N|max          N times real time, or as fast as everything follows (a replay at max is repeatable)
  --exit                 end when the market data ends
  --summary OUT.json     write what happened
  --data DIR             where state is kept (default .jts; a finished replay starts anew)
  --seed N               seed of the simulated market
  --events N             end after N market events
  --help`

/** @throws OptionsError that lists every fault. */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals, tokens } = parse(args)
  const faults = positionals.map((word) => `${word}: not an option`)
  for (const token of tokens) {
    if (token.kind === 'option' && !(token.name in KNOWN)) faults.push(`${token.rawName}: no such option`)
    else if (
      token.kind === 'option' &&
      KNOWN[token.name as keyof typeof KNOWN].type === 'string' &&
      typeof token.value !== 'string'
    )
      faults.push(`${token.rawName}: needs a value`)
  }
  const text = (name: keyof typeof KNOWN): string | undefined =>
    typeof values[name] === 'string' ? values[name] : undefined
  const whole = (name: 'seed' | 'events'): number | undefined => {
    const value = text(name)
    if (value !== undefined && !/^\d{1,15}$/.test(value))
      faults.push(`--${name} ${value}: must be a whole number`)
    return value === undefined ? undefined : Number(value)
  }
  const speedText = text('speed')
  const speed = speedText === undefined || speedText === 'max' ? speedText : Number(speedText)
  if (typeof speed === 'number' && !(speed > 0 && speed <= 100_000)) {
    faults.push(`--speed ${speedText}: must be "max" or a number above 0 and at most 100000`)
  }
  const seed = whole('seed')
  const events = whole('events')
  if (faults.length > 0) throw new OptionsError(faults.join('\n'))
  const replay = text('replay')
  const summary = text('summary')
  const data = text('data')
  return {
    ...(replay === undefined ? {} : { replay }),
    ...(speed === undefined ? {} : { speed }),
    ...(summary === undefined ? {} : { summary }),
    ...(data === undefined ? {} : { data }),
    ...(seed === undefined ? {} : { seed }),
    ...(events === undefined ? {} : { events }),
    exit: values['exit'] === true,
    isHelp: values['help'] === true,
  }
}

const KNOWN = {
  replay: { type: 'string' },
  speed: { type: 'string' },
  exit: { type: 'boolean' },
  summary: { type: 'string' },
  data: { type: 'string' },
  seed: { type: 'string' },
  events: { type: 'string' },
  help: { type: 'boolean' },
} as const

const parse = (args: readonly string[]) =>
  parseArgs({ args: [...args], options: KNOWN, strict: false, allowPositionals: true, tokens: true })
