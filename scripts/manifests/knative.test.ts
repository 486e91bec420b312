import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import * as z from 'zod'
import { CONTRACTS } from '#shared/events/catalogue.ts'
import { knativeFiles } from './knative.ts'
import { secretNameOf, takeInventory } from './inventory.ts'

const inventory = await takeInventory(process.cwd())
const files = knativeFiles(inventory)
const textOf = (name: string): string => files.get(`infra/knative/${name}`) ?? ''

const Resource = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/),
    annotations: z.record(z.string(), z.string()).default({}),
    labels: z.record(z.string(), z.string()).default({}),
  }),
})
const documentsOf = <Schema extends z.ZodType>(name: string, schema: Schema): z.output<Schema>[] =>
  parseAllDocuments(textOf(name)).map((document) => schema.parse(document.toJS()))

const Delivery = z.strictObject({
  retry: z.number().int().min(1),
  backoffPolicy: z.enum(['linear', 'exponential']),
  backoffDelay: z.string().regex(/^PT[\d.]+S$/),
  timeout: z.string().regex(/^PT\d+S$/),
  deadLetterSink: z.strictObject({
    ref: z.strictObject({ apiVersion: z.string(), kind: z.literal('KafkaSink'), name: z.string() }),
  }),
})
type Delivery = z.output<typeof Delivery>
const Exact = z.strictObject({ exact: z.strictObject({ type: z.string() }) })
const Trigger = Resource.extend({
  kind: z.literal('Trigger'),
  spec: z.strictObject({
    broker: z.string(),
    filters: z.array(z.union([Exact, z.strictObject({ any: z.array(Exact) })])).optional(),
    subscriber: z.object({ ref: z.object({ kind: z.literal('Service'), name: z.string() }) }),
    delivery: Delivery,
  }),
})
const triggers = documentsOf('base/triggers.yaml', Trigger)

const Container = z.looseObject({
  name: z.string(),
  image: z.string(),
  readinessProbe: z.looseObject({}),
  livenessProbe: z.looseObject({}),
  resources: z.object({
    requests: z.object({ cpu: z.string(), memory: z.string() }),
    limits: z.object({ cpu: z.string(), memory: z.string() }),
  }),
  securityContext: z.looseObject({
    runAsNonRoot: z.literal(true),
    runAsUser: z.literal(65_532),
    readOnlyRootFilesystem: z.literal(true),
    allowPrivilegeEscalation: z.literal(false),
  }),
})
const Projected = z.object({
  projected: z.object({
    sources: z.array(
      z.object({
        secret: z.object({ optional: z.boolean(), items: z.array(z.object({ key: z.string() })) }),
      }),
    ),
  }),
})
const PodSpec = z.looseObject({
  serviceAccountName: z.string(),
  automountServiceAccountToken: z.literal(false),
  containers: z.tuple([Container]),
  volumes: z.array(Projected).default([]),
})
const Service = Resource.extend({
  kind: z.literal('Service'),
  spec: z.object({
    template: z.object({
      metadata: z.object({ annotations: z.record(z.string(), z.string()) }),
      spec: PodSpec.extend({ containerConcurrency: z.number(), timeoutSeconds: z.number() }),
    }),
  }),
})
const Deployment = Resource.extend({
  kind: z.literal('Deployment'),
  spec: z.looseObject({
    replicas: z.number(),
    strategy: z.object({ type: z.string() }),
    template: z.looseObject({ spec: PodSpec }),
  }),
})
const services = documentsOf('base/functions.yaml', Service)
const deployments = documentsOf('base/connectors.yaml', Deployment)

describe('triggers', () => {
  test('leave out an event, or bring one that the function does not consume', () => {
    for (const { name, definition } of inventory.functions) {
      const own = triggers.filter(({ spec }) => spec.subscriber.ref.name === name)
      const types = own.flatMap(({ spec: { broker, filters } }) =>
        filters === undefined
          ? CONTRACTS.filter(({ topic }) => topic.replaceAll('.', '-') === broker).map(({ type }) => type)
          : filters.flatMap((each) => ('any' in each ? each.any : [each])).map(({ exact }) => exact.type),
      )
      expect(types.toSorted(), name).toEqual(definition.consumes.map(({ type }) => type).toSorted())
    }
  })

  test('let one order overtake another', () => {
    for (const { metadata } of triggers) {
      expect(metadata.annotations['kafka.eventing.knative.dev/delivery.order'], metadata.name).toBe('ordered')
    }
  })

  test('drop what cannot be delivered', () => {
    const sinks = documentsOf('base/brokers.yaml', Resource.extend({ spec: z.looseObject({}).optional() }))
      .filter(({ kind }) => kind === 'KafkaSink')
      .map(({ metadata, spec }) => `${metadata.name} ${String(spec?.['topic'])}`)
    for (const { metadata, spec } of triggers) {
      const topic = CONTRACTS.find((contract) => contract.topic.replaceAll('.', '-') === spec.broker)?.topic
      const { name } = spec.delivery.deadLetterSink.ref
      expect(sinks, metadata.name).toContain(`${name} ${topic}.dead-letter`)
    }
  })

  test('set an order aside because the world was away for a night', () => {
    const waitSeconds = ({ retry, backoffPolicy, backoffDelay }: Delivery): number => {
      const delay = Number.parseFloat(backoffDelay.slice(2))
      return backoffPolicy === 'linear' ? (delay * retry * (retry + 1)) / 2 : delay * (2 ** (retry + 1) - 2)
    }
    for (const { metadata, spec } of triggers) {
      const isMoney = spec.broker === 'orders' || spec.broker === 'executions'
      const hours = waitSeconds(spec.delivery) / 3_600
      expect(isMoney ? hours > 24 : hours < 0.1, `${metadata.name} ${hours} h`).toBe(true)
    }
  })

  test('give up on a function before the function does', () => {
    for (const { name, definition } of inventory.functions) {
      const service = services.find(({ metadata }) => metadata.name === name)
      const platform = service?.spec.template.spec.timeoutSeconds ?? 0
      expect(platform, name).toBeGreaterThan(definition.timeoutMs / 1_000)
      expect(platform, name).toBeLessThanOrEqual(600)
      for (const { spec } of triggers.filter((each) => each.spec.subscriber.ref.name === name)) {
        expect(Number.parseFloat(spec.delivery.timeout.slice(2)), name).toBeGreaterThan(platform)
      }
    }
  })
})

describe('workloads', () => {
  test('are not all there', () => {
    expect(services.map(({ metadata }) => metadata.name)).toEqual(inventory.functions.map(({ name }) => name))
    expect(deployments.map(({ metadata }) => metadata.name)).toEqual(['kis-stream', 'scheduler'])
  })

  test('can be called from outside of the cluster', () => {
    for (const { metadata } of services) {
      expect(metadata.labels['networking.knative.dev/visibility'], metadata.name).toBe('cluster-local')
    }
  })

  test('scale beyond what the definition allows', () => {
    for (const { name, definition } of inventory.functions) {
      const annotations = services.find(({ metadata }) => metadata.name === name)?.spec.template.metadata
        .annotations
      expect(annotations?.['autoscaling.knative.dev/max-scale']).toBe(`${definition.scale.max}`)
      expect(annotations?.['autoscaling.knative.dev/min-scale']).toBe(`${definition.scale.min}`)
    }
  })

  test('fire a timer twice: two schedulers, or an old one beside a new one', () => {
    for (const { spec } of deployments) expect([spec.replicas, spec.strategy.type]).toEqual([1, 'Recreate'])
  })

  test('miss a secret, or wait for one that is not needed', () => {
    const pods = [...services, ...deployments].map(
      ({ metadata, spec }) => [metadata.name, spec.template.spec] as const,
    )
    for (const { name, settings } of [...inventory.functions, ...inventory.connectors]) {
      const pod = pods.find(([each]) => each === name)?.[1]
      if (pod === undefined) continue
      const mounted = pod.volumes.flatMap(({ projected }) =>
        projected.sources.flatMap(({ secret }) =>
          secret.items.map(({ key }) => `${key} ${secret.optional ? 'optional' : 'required'}`),
        ),
      )
      const wanted = settings
        .filter(({ secret }) => secret)
        .map((each) => `${secretNameOf(each)} ${each.required ? 'required' : 'optional'}`)
      expect(mounted.toSorted(), name).toEqual(wanted.toSorted())
    }
  })

  test('run under the account of another', () => {
    const accounts = documentsOf('base/service-accounts.yaml', Resource).map(({ metadata }) => metadata.name)
    for (const { metadata, spec } of [...services, ...deployments]) {
      expect(spec.template.spec.serviceAccountName).toBe(metadata.name)
      expect(accounts).toContain(metadata.name)
    }
  })
})

test('a budget stops a node from being drained, or a function that has several instances has none', () => {
  const Budget = Resource.extend({ spec: z.looseObject({ maxUnavailable: z.literal(1) }) })
  const several = inventory.functions.filter(({ definition }) => definition.scale.max > 1)
  expect(documentsOf('base/disruption-budgets.yaml', Budget).map(({ metadata }) => metadata.name)).toEqual(
    several.map(({ name }) => name),
  )
})

test.each(['dev', 'staging', 'production'])(
  'overlay %s leaves out a file of the base, or an image',
  (overlay) => {
    const { images, resources } = parse(textOf(`overlays/${overlay}/kustomization.yaml`)) as {
      images: { name: string }[]
      resources: string[]
    }
    expect(resources).toEqual(['../../base'])
    const used = [...services, ...deployments].map(({ spec }) => spec.template.spec.containers[0].image)
    expect(images.map(({ name }) => name).toSorted()).toEqual(used.toSorted())
    const base = parse(textOf('base/kustomization.yaml')) as { resources: string[] }
    const written: readonly string[] = [...files.keys()]
      .filter((path) => /base\/[a-z-]+\.yaml$/.test(path))
      .map((path) => path.slice(path.lastIndexOf('/') + 1))
    expect([...base.resources, 'kustomization.yaml', 'name-references.yaml'].toSorted()).toEqual(
      written.toSorted(),
    )
  },
)
