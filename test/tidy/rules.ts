// The rules of the house that a machine can check. Each says what is wrong and what to do instead.
import { importFault, isTestSource } from './imports.ts'
import { type Source, importsOf, lineOf } from './source.ts'

export interface TidyFault {
  readonly path: string
  readonly line: number
  readonly detail: string
}

const FILE_LINES_MAX = 400
const FUNCTION_LINES_MAX = 70

type Rule = (source: Source) => readonly TidyFault[]

/** One fault for each match of `pattern` in the code. */
const inCode =
  (pattern: RegExp, detail: string, applies: (path: string) => boolean): Rule =>
  ({ path, code }) =>
    applies(path)
      ? [...code.matchAll(pattern)].map((match) => ({
          path,
          line: lineOf(code, match.index),
          detail: `${match[0].trim()}: ${detail}`,
        }))
      : []

const isProduct = (path: string): boolean => !isTestSource(path)
const isOutsideSystem = (path: string): boolean =>
  isProduct(path) && !path.startsWith('shared/adapters/system/')

const imports: Rule = (source) =>
  importsOf(source).flatMap(({ specifier, line }) => {
    const detail = importFault(source.path, specifier)
    return detail === undefined ? [] : [{ path: source.path, line, detail }]
  })

const clockAndRandom = inCode(
  /\b(?:Date\.now\b|new Date\(\s*\)|Math\.random\b|randomUUID\b|setTimeout\b|setInterval\b|performance\.now\b|process\.hrtime\b)/g,
  'time, ids and randomness come in through ports',
  isOutsideSystem,
)

const skippedTests = inCode(
  /\b(?:test|it|describe)\.(?:skip|only|todo|skipIf|runIf)\b/g,
  'every test runs',
  () => true,
)
const mocks = inCode(
  /\bvi\.(?:mock|doMock|spyOn|stubGlobal)\b/g,
  'fake the far side of the wire, not our own code',
  () => true,
)

/** A script is a program from top to bottom, and so is a main.ts: their top level is a function body. */
const isModule = (path: string): boolean =>
  isProduct(path) && !path.startsWith('scripts/') && !path.endsWith('/main.ts')
const MUTABLE = /^(?:(?:Map|Set|WeakMap|WeakSet|Array|Record)\b|(?!readonly\b).*\[\]$)/
const EMPTY_COLLECTION =
  /^(?:export )?const \w+(?:: ([^=\n]+))? = (?:new (?:Map|Set|WeakMap|WeakSet|Array)(?:<[^\n]*>)?\(\)|\[\]|\{\})\s*$/gm

const moduleState: Rule = (source) => {
  const { path, code } = source
  const variables = inCode(/^(?:export )?(?:let|var) .*/gm, NO_STATE, isModule)(source)
  if (!isModule(path)) return variables
  const collections = [...code.matchAll(EMPTY_COLLECTION)]
    .filter(([, annotation]) => annotation === undefined || MUTABLE.test(annotation.trim()))
    .map((match) => ({ path, line: lineOf(code, match.index), detail: `${match[0].trim()}: ${NO_STATE}` }))
  return [...variables, ...collections]
}
const NO_STATE = 'no process-wide mutable state'

const todos: Rule = ({ path, comments }) =>
  [...comments.matchAll(/\b(?:TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))/g)].map((match) => ({
    path,
    line: lineOf(comments, match.index),
    detail: `${match[0]} without an issue number: write ${match[0]}(#123)`,
  }))

const fileLength: Rule = ({ path, text }) => {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  return lines > FILE_LINES_MAX
    ? [{ path, line: lines, detail: `${lines} lines, at most ${FILE_LINES_MAX}` }]
    : []
}

const fileName: Rule = ({ path }) => {
  const name = path.split('/').at(-1) ?? ''
  const isVague = /^(index|utils?|helpers?|common|types|constants|misc)\.ts$/.test(name)
  const isPlain = /^[a-z\d]+(-[a-z\d]+)*(\.(integration\.test|test|contract|fixture|bench|d))?\.ts$/.test(
    name,
  )
  if (isVague) return [{ path, line: 1, detail: 'a file is named after what it is about; no barrels' }]
  return isPlain ? [] : [{ path, line: 1, detail: 'file names are kebab-case' }]
}

/** A function that declares tests may be long: it is a list. */
const DECLARES_TESTS = /\b(?:test|it|describe)(?:\.\w+)?\(/

const functionLength: Rule = ({ path, code }) =>
  blocksOf(code)
    .filter(({ header }) => isFunctionHeader(header))
    .filter(({ body }) => !(isTestSource(path) && DECLARES_TESTS.test(body)))
    .map(({ line, lines }) => ({
      path,
      line,
      detail: `a function of ${lines} lines, at most ${FUNCTION_LINES_MAX}`,
    }))

interface Block {
  readonly line: number
  readonly lines: number
  /** The code between the end of the last statement or block and the brace. */
  readonly header: string
  readonly body: string
}

/** Every `{ … }`, with what stands before it. */
function blocksOf(code: string): readonly Block[] {
  const open: number[] = []
  const blocks: Block[] = []
  for (let at = 0; at < code.length; at += 1) {
    if (code[at] === '{') open.push(at)
    if (code[at] !== '}') continue
    const start = open.pop()
    if (start === undefined) continue
    const lines = code.slice(start, at).split('\n').length
    if (lines > FUNCTION_LINES_MAX)
      blocks.push({
        line: lineOf(code, start),
        lines,
        header: headerOf(code, start),
        body: code.slice(start, at),
      })
  }
  return blocks
}

/** Back to the start of the statement: the nearest line that is indented no more than the line of the brace and follows a blank. */
function headerOf(code: string, start: number): string {
  const before = code.slice(0, start).split('\n')
  const last = before.pop() ?? ''
  const header = [last]
  // A parameter list that spans lines closes on the brace's own line: `): Promise<void> {`.
  if (/^\s*\)/.test(last)) {
    const indent = /^\s*/.exec(last)?.[0].length ?? 0
    for (let line = before.pop(); line !== undefined; line = before.pop()) {
      header.unshift(line)
      if ((/^\s*/.exec(line)?.[0].length ?? 0) <= indent && line.trim() !== '') break
    }
  }
  return header.join('\n')
}

const CONTROL =
  /(?:^|\s|\})(?:if|for|while|switch|catch|else|do|try|finally|class|interface|type|enum|namespace)\b/

function isFunctionHeader(header: string): boolean {
  if (/=>\s*$/.test(header) || /\bfunction\b/.test(header)) return true
  const firstLine = header.split('\n')[0] ?? ''
  return !CONTROL.test(firstLine) && /\)\s*(?::[^=]*)?$/.test(header) && !/=\s*$/.test(header)
}

export const RULES: Readonly<Record<string, Rule>> = {
  imports,
  clockAndRandom,
  skippedTests,
  mocks,
  moduleState,
  todos,
  fileLength,
  functionLength,
  fileName,
}

export const faultsIn = (source: Source): readonly TidyFault[] =>
  Object.values(RULES).flatMap((rule) => rule(source))

/** Rules about what must be there. */
export function missingTests(paths: readonly string[]): readonly TidyFault[] {
  const present = new Set(paths)
  return paths
    .filter((path) => path.endsWith('/decide.ts') && !present.has(path.replace(/\.ts$/, '.test.ts')))
    .map((path) => ({ path, line: 1, detail: 'a decision needs decide.test.ts beside it' }))
}
