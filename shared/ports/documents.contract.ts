import { describe, expect, test } from 'vitest'
import { DocumentConflictError, type Documents } from './documents.ts'
import { fault } from './order-store.bench.ts'

type Open = () => Promise<Documents>

/** What every Documents must do. `open` gives one that no other test has written to. */
export const documentsContract = (adapter: string, open: Open): void => {
  describe(`${adapter} as Documents`, () => {
    writingRules(open)
    readingRules(open)
  })
}

const draft = (body: unknown, after = 0, id = 'momentum', kind = 'strategy') => ({
  kind,
  id,
  after,
  body,
  changedBy: 'operator:kim',
})

const writingRules = (open: Open): void => {
  test('versions count from one, and a written version never changes', async () => {
    const documents = await open()
    for (const after of [0, 1, 2]) {
      const written = await documents.put(draft({ window: after }, after))
      expect(written).toEqual({
        kind: 'strategy',
        id: 'momentum',
        version: after + 1,
        body: { window: after },
        changedBy: 'operator:kim',
      })
    }
    for (const version of [1, 2, 3]) {
      expect(await documents.version('strategy', 'momentum', version)).toMatchObject({
        version,
        body: { window: version - 1 },
      })
    }
  })

  test.each([
    ['a document that is there already', 0],
    ['an old version', 1],
    ['a version that is not there yet', 3],
  ])('writing after %s is a conflict and changes nothing', async (_name, after) => {
    const documents = await open()
    await documents.put(draft('first'))
    await documents.put(draft('second', 1))
    const error = await fault(documents.put(draft('third', after)))
    expect(error).toBeInstanceOf(DocumentConflictError)
    expect(String(error)).toContain('strategy momentum')
    expect(await documents.latest('strategy', 'momentum')).toMatchObject({ version: 2, body: 'second' })
  })

  test('of ten writers of one version, one writes, every time', async () => {
    const documents = await open()
    for (let after = 0; after < 10; after += 1) {
      const errors = await Promise.all(
        Array.from({ length: 10 }, (_, index) => fault(documents.put(draft({ writer: index }, after)))),
      )
      expect(errors.filter((error) => error === undefined)).toHaveLength(1)
      expect(errors.filter((error) => error instanceof DocumentConflictError)).toHaveLength(9)
    }
    expect(await documents.version('strategy', 'momentum', 11)).toBeUndefined()
  })

  test('a body without a JSON form is refused', async () => {
    const documents = await open()
    expect(await fault(documents.put(draft(undefined)))).toBeInstanceOf(TypeError)
    expect(await documents.list('strategy')).toEqual([])
  })

  test.each([
    [null],
    ['text'],
    [0],
    [false],
    [[]],
    [{}],
    [[1, '2', { 삼: ['성', null] }]],
    [{ ratio: '0.10000000' }],
  ])('the body %j comes back as it was', async (body) => {
    const documents = await open()
    await documents.put(draft(body))
    expect((await documents.latest('strategy', 'momentum'))?.body).toEqual(body)
  })
}

const readingRules = (open: Open): void => {
  test('what was never written is undefined', async () => {
    const documents = await open()
    await documents.put(draft({}))
    expect(await documents.latest('strategy', 'other')).toBeUndefined()
    expect(await documents.latest('limits', 'momentum')).toBeUndefined()
    expect(await documents.version('strategy', 'momentum', 2)).toBeUndefined()
    expect(await documents.version('strategy', 'momentum', 0)).toBeUndefined()
    expect(await documents.list('limits')).toEqual([])
  })

  test('a list has the latest version of each document of the kind, by id', async () => {
    const documents = await open()
    await documents.put(draft(1, 0, 'b'))
    await documents.put(draft(1, 0, 'a'))
    await documents.put(draft(2, 1, 'b'))
    await documents.put(draft(1, 0, 'c', 'limits'))
    const list = await documents.list('strategy')
    expect(list.map(({ id, version, body }) => [id, version, body])).toEqual([
      ['a', 1, 1],
      ['b', 2, 2],
    ])
  })
}
