// `npm run topics -- check|apply`: compares the topics of a cluster with infra/kafka/topics.json, or makes them so.
// Nothing is deleted and no topic shrinks. Code 1: something differs (check), or cannot be mended (apply).
import topics from '../infra/kafka/topics.json' with { type: 'json' }
import { kafkaClient } from '#shared/adapters/kafka/client.ts'
import { KafkaConfig } from '#shared/adapters/kafka/config.ts'
import { failureOf } from '#shared/adapters/kafka/failures.ts'
import {
  applyTopics,
  brokerCount,
  compareTopics,
  declaredTopics,
  differenceText,
} from '#shared/adapters/kafka/topic-admin.ts'
import { loadConfigOrExit } from '#shared/runtime/config.ts'
import { readEnvironment } from '#shared/runtime/env-file.ts'

const [command] = process.argv.slice(2)
if (command !== 'check' && command !== 'apply') {
  console.error('usage: npm run topics -- check|apply')
  process.exit(2)
}
const settings = loadConfigOrExit(KafkaConfig, readEnvironment(process.env))
const quiet = (): void => undefined
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
const admin = kafkaClient(settings, log).admin()
try {
  await admin.connect()
  const declared = declaredTopics(topics, settings.JTS_KAFKA_PREFIX, await brokerCount(admin))
  if (command === 'apply') {
    for (const done of await applyTopics(admin, declared)) console.log(`mended: ${differenceText(done)}`)
  }
  const differences = await compareTopics(admin, declared)
  for (const difference of differences) console.log(differenceText(difference))
  if (differences.length === 0) console.log(`${declared.length} topics are as declared`)
  else process.exitCode = 1
} catch (error) {
  console.error(failureOf(error, `${command} the topics`).message)
  process.exitCode = 1
} finally {
  await admin.disconnect()
}
