import { describe, expect, test } from 'vitest'
import { resourcesIn, validatorOf } from './validation.ts'

const DEFINITION = `
kind: CustomResourceDefinition
spec:
  group: shops.example
  names: { kind: Shop }
  versions:
    - name: v1
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [size]
              properties:
                size: { type: integer, format: int32 }
                door: { x-kubernetes-int-or-string: true }
                free: { type: object, x-kubernetes-preserve-unknown-fields: true, properties: { a: { type: string } } }
`
const OPENAPI = JSON.stringify({
  components: {
    schemas: {
      'shops.Spec': { type: 'object', properties: { size: { type: 'integer' } } },
      'shops.Stall': {
        type: 'object',
        properties: {
          apiVersion: { type: 'string' },
          kind: { type: 'string' },
          metadata: { type: 'object' },
          spec: { $ref: '#/components/schemas/shops.Spec' },
        },
        'x-kubernetes-group-version-kind': [{ group: 'shops.example', version: 'v1', kind: 'Stall' }],
      },
    },
  },
})
const validator = validatorOf([DEFINITION, OPENAPI])
const faultsOf = (kind: string, spec: unknown): readonly string[] | undefined => {
  const [resource] = resourcesIn(
    JSON.stringify({ apiVersion: 'shops.example/v1', kind, metadata: { name: 'one' }, spec }),
  )
  return resource === undefined ? ['no resource'] : validator.faultsIn(resource)
}

describe.each(['Shop', 'Stall'])('a %s', (kind) => {
  test('that is right is refused', () => {
    expect(faultsOf(kind, { size: 3 })).toEqual([])
  })

  test('with a field of the wrong type passes', () => {
    expect(faultsOf(kind, { size: 'three' })).toEqual(['/spec/size must be integer'])
  })

  test('with a field that does not exist passes', () => {
    expect(faultsOf(kind, { size: 3, sise: 3 })).toEqual(['/spec must NOT have additional properties: sise'])
  })
})

test('what a definition says is open is closed', () => {
  expect(faultsOf('Shop', { size: 1, door: 'left', free: { b: 1 } })).toEqual([])
  expect(faultsOf('Shop', { size: 1, door: 1 })).toEqual([])
  expect(faultsOf('Shop', { size: 1, door: true })).toHaveLength(3)
})

test('a kind without a schema counts as right', () => {
  expect(faultsOf('Cellar', {})).toBeUndefined()
})

test('a text that is no resource is taken for one', () => {
  expect(() => resourcesIn('one: two')).toThrow('a document is no resource')
  expect(() => resourcesIn('one: [')).toThrow(/flow/i)
})
