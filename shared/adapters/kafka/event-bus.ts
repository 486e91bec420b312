// The event bus on Kafka.
import type { Admin } from 'kafkajs'
import { contractOf } from '#shared/events/catalogue.ts'
import type { Event, Topic } from '#shared/events/contract.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import type { EventBus, Subscription } from '#shared/ports/event-bus.ts'
import { encodeRecord } from './binding.ts'
import { type KafkaLog, kafkaClient } from './client.ts'
import type { KafkaSettings } from './config.ts'
import { encodeDeadLetter, encodeRawDeadLetter } from './dead-letters.ts'
import { failureOf } from './failures.ts'
import { GroupSession } from './group-session.ts'
import { groupLag } from './lag.ts'
import { publisher } from './publisher.ts'
import { openSubscription } from './subscription.ts'
import { deadLetterTopic, wireTopic } from './topic-names.ts'

export interface KafkaBusOptions {
  readonly settings: KafkaSettings
  readonly stopwatch: Stopwatch
  readonly log: KafkaLog
  /**
   * A subscription has ended for a reason that will not pass. Default: an uncaught exception, which ends the process.
   * Must not throw.
   */
  readonly onCrash?: (error: Error, group: string) => void
}

const BATCH_SIZE_DEFAULT = 500

const topicOf = ({ type, id }: Event): Topic => {
  const contract = contractOf(type)
  if (contract === undefined) throw new PoisonError(`no contract for events of type ${type} (${id})`)
  return contract.topic
}

const endProcess = (error: Error): void =>
  queueMicrotask(() => {
    throw error
  })

/** @throws KafkaSetupError, RetryableError when Kafka cannot be reached with these settings. */
export async function kafkaBus(options: KafkaBusOptions): Promise<EventBus> {
  const { settings, stopwatch, log, onCrash = endProcess } = options
  const prefix = settings.JTS_KAFKA_PREFIX
  const client = kafkaClient(settings, log)
  const records = publisher({ client, bytesMax: settings.JTS_KAFKA_MESSAGE_BYTES_MAX })
  const open = new Set<Subscription>()
  let admin: Promise<Admin> | undefined
  let isClosed = false

  const assertOpen = (): void => {
    if (isClosed) throw new RetryableError('the bus is closed')
  }
  const connectedAdmin = async (): Promise<Admin> => {
    const next = client.admin()
    await next.connect()
    return next
  }

  await records.connect()
  return {
    async publish(events) {
      assertOpen()
      await records.send(
        events.map((event) => {
          const message = encodeRecord(event)
          return { topic: wireTopic(prefix, topicOf(event)), message, bytes: message.bytes }
        }),
      )
    },

    async publishDeadLetter(letters) {
      assertOpen()
      await records.send(
        letters.map((letter) => {
          const { bytes, ...message } = encodeDeadLetter(letter)
          // What was small enough for its topic is small enough for dead letters, which may be larger.
          const weight = Math.min(bytes, settings.JTS_KAFKA_MESSAGE_BYTES_MAX)
          return { topic: wireTopic(prefix, deadLetterTopic(topicOf(letter.event))), message, bytes: weight }
        }),
      )
    },

    async subscribe({ group, topics, from = 'earliest', batchSizeMax = BATCH_SIZE_DEFAULT }, onBatch) {
      assertOpen()
      if (!(batchSizeMax >= 1))
        throw new RangeError(`batchSizeMax of ${group} must be at least 1: ${batchSizeMax}`)
      const opened = await openSubscription({
        group,
        stopwatch,
        log,
        onCrash: (error) => onCrash(error, group),
        newSession: () =>
          new GroupSession({
            client: kafkaClient(settings, log),
            prefix,
            group,
            topics,
            from,
            batchSizeMax,
            sessionTimeoutMs: settings.JTS_KAFKA_SESSION_TIMEOUT_MS,
            stopwatch,
            log,
            onBatch,
            setAside: async (record, position, reason) => {
              const message = encodeRawDeadLetter({ consumer: group, reason, position, record })
              const bytes = Math.min(record.value?.length ?? 0, settings.JTS_KAFKA_MESSAGE_BYTES_MAX)
              await records.send([
                { topic: wireTopic(prefix, deadLetterTopic(position.topic)), message, bytes },
              ])
              log.error({ group, ...position, reason }, 'a record that is no event was set aside')
            },
          }),
      })
      const subscription: Subscription = {
        async close() {
          open.delete(subscription)
          await opened.close()
        },
      }
      open.add(subscription)
      return subscription
    },

    async lag(group) {
      admin ??= connectedAdmin()
      try {
        return await groupLag(await admin, prefix + group)
      } catch (error) {
        await admin.then((broken) => broken.disconnect()).catch(() => undefined)
        admin = undefined
        throw failureOf(error, `say the lag of ${group}`)
      }
    },

    async close() {
      isClosed = true
      await Promise.all([...open].map((subscription) => subscription.close()))
      await records.close()
      await (await admin)?.disconnect()
    },
  }
}
