// Kafka's topics as Brokers, and what wakes a function as Triggers.
//
// E1. A Broker stands for one topic of JTS, which exists before it: events keep their topic, key and partition, and
//     connectors read and write the same topics without Knative.
// E2. A Trigger stands for one function and one topic. It filters by type, so that a function is not called for what it
//     does not consume; it delivers in order, and what it cannot deliver goes to the dead-letter topic of its topic.
// E3. Orders and executions are not set aside because the world was not ready: their Trigger tries again for days, with
//     pauses that grow evenly.
// E4. Functions publish what they emit themselves and answer 204 (docs/decisions/0010-knative-answers.md), so no reply
//     passes a Broker.
import { TOPICS, type Topic } from '#shared/events/contract.ts'
import { CONTRACTS } from '#shared/events/catalogue.ts'
import type { FunctionWorkload, Inventory, Trigger } from './inventory.ts'
import { timeoutSecondsOf } from './knative-serving.ts'
import { commonLabels } from './workload-spec.ts'
import { type YamlPart, yamlText } from './yaml-text.ts'

const BROKER_CONFIG = 'jts-kafka-broker'
/** Replaced in each overlay by JTS_KAFKA_BROKERS of its settings. */
export const BOOTSTRAP_SERVERS = 'kafka:9092'

/** Topics have dots, names of Kubernetes have dashes. */
export const brokerNameOf = (topic: Topic): string => topic.replaceAll('.', '-')
const deadLetterNameOf = (topic: Topic): string => `${brokerNameOf(topic)}-dead-letter`
export const triggerNameOf = (workload: FunctionWorkload, { topic }: Trigger): string =>
  `${workload.name}-${brokerNameOf(topic)}`

const MONEY: ReadonlySet<Topic> = new Set(['orders', 'executions'])
/** The n-th pause is n seconds: 1,000 of them are more than five days. */
const PATIENT = { retry: 1_000, backoffPolicy: 'linear', backoffDelay: 'PT1S' }
/** The n-th pause is 0.2 s × 2ⁿ: 25 s in all. */
const BRIEF = { retry: 6, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S' }

const deliveryOf = (topic: Topic, timeoutSeconds: number) => ({
  ...(MONEY.has(topic) ? PATIENT : BRIEF),
  timeout: `PT${timeoutSeconds}S`,
  deadLetterSink: {
    ref: {
      apiVersion: 'eventing.knative.dev/v1alpha1',
      kind: 'KafkaSink',
      name: deadLetterNameOf(topic),
    },
  },
})

/** Longest that any function takes; a Trigger states its own. */
const BROKER_TIMEOUT_S = 90

function brokerParts(topic: Topic): readonly YamlPart[] {
  const labels = { 'app.kubernetes.io/part-of': 'jts' }
  return [
    {
      comment: `${topic}: ${TOPICS[topic]}.`,
      content: {
        apiVersion: 'eventing.knative.dev/v1',
        kind: 'Broker',
        metadata: {
          name: brokerNameOf(topic),
          labels,
          annotations: {
            'eventing.knative.dev/broker.class': 'Kafka',
            'kafka.eventing.knative.dev/external.topic': topic,
          },
        },
        spec: {
          config: { apiVersion: 'v1', kind: 'ConfigMap', name: BROKER_CONFIG },
          delivery: deliveryOf(topic, BROKER_TIMEOUT_S),
        },
      },
    },
    {
      content: {
        apiVersion: 'eventing.knative.dev/v1alpha1',
        kind: 'KafkaSink',
        metadata: { name: deadLetterNameOf(topic), labels },
        spec: {
          topic: `${topic}.dead-letter`,
          bootstrapServers: [BOOTSTRAP_SERVERS],
          contentMode: 'binary',
        },
      },
    },
  ]
}

/** Every topic that a function consumes. */
const topicsIn = ({ functions }: Inventory): readonly Topic[] =>
  [...new Set(functions.flatMap(({ triggers }) => triggers.map(({ topic }) => topic)))].toSorted()

export const brokersFile = (inventory: Inventory, header: string): string =>
  yamlText(header, [
    {
      comment:
        'Where the Brokers find Kafka. Topics are made by `npm run topics`; the counts below are used for none.',
      content: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: BROKER_CONFIG, labels: { 'app.kubernetes.io/part-of': 'jts' } },
        data: {
          'bootstrap.servers': BOOTSTRAP_SERVERS,
          'default.topic.partitions': '12',
          'default.topic.replication.factor': '3',
        },
      },
    },
    ...topicsIn(inventory).flatMap(brokerParts),
  ])

/** No filter where the function consumes all that the topic carries. */
function filtersOf({ topic, types }: Trigger) {
  const carried = CONTRACTS.filter((contract) => contract.topic === topic)
  if (carried.length === types.length) return {}
  const exact = types.map((type) => ({ exact: { type } }))
  return { filters: exact.length === 1 ? exact : [{ any: exact }] }
}

const triggerOf = (workload: FunctionWorkload, trigger: Trigger) => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Trigger',
  metadata: {
    name: triggerNameOf(workload, trigger),
    labels: commonLabels(workload.name),
    annotations: { 'kafka.eventing.knative.dev/delivery.order': 'ordered' },
  },
  spec: {
    broker: brokerNameOf(trigger.topic),
    ...filtersOf(trigger),
    subscriber: { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: workload.name } },
    delivery: deliveryOf(trigger.topic, timeoutSecondsOf(workload) + 5),
  },
})

export const triggersFile = ({ functions }: Inventory, header: string): string =>
  yamlText(
    header,
    functions.flatMap((workload) =>
      workload.triggers.map((trigger): YamlPart => ({ content: triggerOf(workload, trigger) })),
    ),
  )
