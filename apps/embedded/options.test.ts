import { expect, test } from 'vitest'
import { OptionsError, parseOptions } from './options.ts'

test.each([
  [[], { exit: false, isHelp: false }],
  [
    ['--replay', 'day.csv', '--speed', 'max', '--exit'],
    { replay: 'day.csv', speed: 'max', exit: true, isHelp: false },
  ],
  [
    ['--speed', '2.5', '--seed', '7', '--events', '100'],
    { speed: 2.5, seed: 7, events: 100, exit: false, isHelp: false },
  ],
] as const)('%j', (words, expected) => {
  expect(parseOptions(words)).toEqual(expected)
})

test('every fault is named at once, and none is guessed around', () => {
  const words = ['--sped', 'max', '--speed', '0', '--seed', '-3', '--replay', '--exit', 'more']
  const faults = (): unknown => parseOptions(words)
  expect(faults).toThrow(OptionsError)
  for (const fault of ['--sped: no such option', '--speed 0: must be', '--seed', 'more: not an option']) {
    expect(faults).toThrow(fault)
  }
})
