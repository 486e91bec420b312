// A simulator for one test, stopped when the test is over.
import { onTestFinished } from 'vitest'
import type { Simulator, SimulatorOptions } from './simulator.ts'
import { type Client, connect, startTestSimulator } from './test-client.ts'

export async function openSimulator(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const simulator = await startTestSimulator(options)
  onTestFinished(() => simulator.stop())
  return simulator
}

/** With a customer who holds a token. */
export async function start(
  options: Partial<SimulatorOptions> = {},
): Promise<{ readonly simulator: Simulator; readonly client: Client }> {
  const simulator = await openSimulator(options)
  return { simulator, client: await connect(simulator) }
}
