// Recordings on disk: plain CSV with a header, gzipped when the name ends in .gz.
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type Price, type Quantity, price, quantity } from '#shared/domain/values.ts'
import { RecordingError } from './source.ts'

export interface CsvFile {
  readonly path: string
  readonly columns: readonly string[]
  /** In file order; the line number is for messages. */
  rows(): Generator<CsvRow>
}

export interface CsvRow {
  readonly line: number
  /** Empty text where the cell is empty. @throws RecordingError for a column that the file does not have. */
  text(column: string): string
  price(column: string): Price | undefined
  quantity(column: string): Quantity | undefined
  /** A cell that must be there, by a parser of its own. @throws RecordingError that names the line. */
  parsed<T>(column: string, parse: (text: string) => T): T
}

/** The CSV files of a directory by name, or the one file. @throws RecordingError when there is none. */
export function csvPaths(path: string): readonly string[] {
  const isFile = statSync(path, { throwIfNoEntry: false })
  if (isFile === undefined) throw new RecordingError(`no such recording: ${path}`)
  if (isFile.isFile()) return [path]
  const names = readdirSync(path).filter((name) => /\.csv(\.gz)?$/.test(name))
  if (names.length === 0) throw new RecordingError(`no .csv or .csv.gz in ${path}`)
  return names.toSorted().map((name) => join(path, name))
}

/** `005930` of `…/005930.csv.gz`. */
export const stemOf = (path: string): string => basename(path).replace(/\.csv(\.gz)?$/, '')

export function readCsv(path: string): CsvFile {
  const bytes = readFileSync(path)
  const lines = (path.endsWith('.gz') ? unzipped(path, bytes) : bytes).toString('utf8').split('\n')
  const columns = (lines[0] ?? '').trim().split(',')
  const indexOf = new Map(columns.map((name, index) => [name, index]))
  const rowOf = (line: number, cells: readonly string[]): CsvRow => {
    const text = (column: string): string => {
      const index = indexOf.get(column)
      const cell = index === undefined ? undefined : cells[index]
      if (cell === undefined) throw new RecordingError(`${path}:${line} has no ${column}`)
      return cell
    }
    const parsed = <T>(column: string, parse: (text: string) => T): T => {
      try {
        return parse(text(column))
      } catch (error) {
        if (error instanceof RecordingError) throw error
        throw new RecordingError(`${path}:${line} ${column}: ${(error as Error).message}`, { cause: error })
      }
    }
    const read = <T>(column: string, parse: (text: string) => T): T | undefined =>
      text(column) === '' ? undefined : parsed(column, parse)
    return {
      line,
      text,
      parsed,
      price: (column) => read(column, price),
      quantity: (column) => read(column, quantity),
    }
  }
  return {
    path,
    columns,
    *rows() {
      for (let index = 1; index < lines.length; index += 1) {
        const line = (lines[index] ?? '').trim()
        if (line !== '') yield rowOf(index + 1, line.split(','))
      }
    },
  }
}

function unzipped(path: string, bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes)
  } catch (error) {
    throw new RecordingError(`${path}: is not a whole gzip file`, { cause: error })
  }
}
