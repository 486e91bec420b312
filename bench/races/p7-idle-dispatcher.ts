// P7: what an idle consumer and producer take of a core, ours and kafkajs as it comes, each as a process of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type RaceResult, type Round, figureOf, interleave, report } from '../harness.ts'
import { type BenchKafka, benchKafka } from '../kafka.ts'

const ROUNDS = 3
const PARTITIONS = 12
const SUITE = 12

/** The program measures itself once everything has settled, and prints its share of a core. */
async function idle(kafka: BenchKafka, who: string, consumers: number, round: number): Promise<Round> {
  const file = join(import.meta.dirname, '..', 'servers', 'idle-kafka.ts')
  const words = [file, who, kafka.settings.JTS_KAFKA_BROKERS.join(), `${who}-${round}`, String(consumers)]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${who} ended with ${code}`)
  return { coreHundredths: Number(said) }
}

async function run(): Promise<RaceResult> {
  const kafka = await benchKafka(PARTITIONS)
  try {
    const contestant = (name: string, who: string, consumers: number) => ({
      name,
      measure: (round: number) => idle(kafka, who, consumers, round),
    })
    const standings = await interleave(
      [
        contestant('JTS', 'jts', 1),
        contestant('kafkajs', 'kafkajs', 1),
        contestant(`JTS, ${SUITE} groups in one process`, 'jts', SUITE),
      ],
      { rounds: ROUNDS, warmUps: 0 },
    )
    const share = (name: string): number => figureOf(standings, name, 'coreHundredths')
    return {
      title: `idle consumer of ${PARTITIONS} partitions and producer, ten seconds, ${ROUNDS} rounds`,
      standings,
      targets: [
        { what: 'hundredths of a core, JTS', value: share('JTS'), atMost: 1 },
        { what: 'JTS ÷ kafkajs', value: share('JTS') / share('kafkajs'), atMost: 0.2 },
      ],
    }
  } finally {
    await kafka.stop()
  }
}

report(import.meta.filename, await run())
