// What a failure of ClickHouse means to the caller.
import { RetryableError } from '#shared/ports/errors.ts'

/** ClickHouse refuses this statement, its values or our user, and will the next time: a defect of ours. */
export class StatementError extends Error {
  override name = 'StatementError'
}

/** Codes after which the same statement can never succeed, from `src/Common/ErrorCodes.cpp`. All others may pass. */
const HOPELESS: ReadonlySet<string> = new Set([
  '6', // CANNOT_PARSE_TEXT
  '7', // INCORRECT_NUMBER_OF_COLUMNS
  '10', // NOT_FOUND_COLUMN_IN_BLOCK
  '16', // NO_SUCH_COLUMN_IN_TABLE
  '20', // NUMBER_OF_COLUMNS_DOESNT_MATCH
  '26', // CANNOT_PARSE_QUOTED_STRING
  '27', // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  '36', // BAD_ARGUMENTS
  '38', // CANNOT_PARSE_DATE
  '41', // CANNOT_PARSE_DATETIME
  '42', // NUMBER_OF_ARGUMENTS_DOESNT_MATCH
  '43', // ILLEGAL_TYPE_OF_ARGUMENT
  '44', // ILLEGAL_COLUMN
  '46', // UNKNOWN_FUNCTION
  '47', // UNKNOWN_IDENTIFIER
  '48', // NOT_IMPLEMENTED
  '50', // UNKNOWN_TYPE
  '53', // TYPE_MISMATCH
  '57', // TABLE_ALREADY_EXISTS
  '60', // UNKNOWN_TABLE
  '62', // SYNTAX_ERROR
  '63', // UNKNOWN_AGGREGATE_FUNCTION
  '69', // ARGUMENT_OUT_OF_BOUND
  '70', // CANNOT_CONVERT_TYPE
  '72', // CANNOT_PARSE_NUMBER
  '73', // UNKNOWN_FORMAT
  '80', // INCORRECT_QUERY
  '81', // UNKNOWN_DATABASE
  '115', // UNKNOWN_SETTING
  '117', // INCORRECT_DATA
  '130', // CANNOT_READ_ARRAY_FROM_TEXT
  '131', // TOO_LARGE_STRING_SIZE
  '153', // ILLEGAL_DIVISION
  '184', // ILLEGAL_AGGREGATION
  '192', // UNKNOWN_USER
  '193', // WRONG_PASSWORD
  '194', // REQUIRED_PASSWORD
  '207', // AMBIGUOUS_IDENTIFIER
  '215', // NOT_AN_AGGREGATE
  '321', // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  '349', // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
  '386', // NO_COMMON_TYPE
  '407', // DECIMAL_OVERFLOW
  '456', // UNKNOWN_QUERY_PARAMETER
  '457', // BAD_QUERY_PARAMETER
  '497', // ACCESS_DENIED
  '516', // AUTHENTICATION_FAILED
  '691', // UNKNOWN_ELEMENT_OF_ENUM
])

const NOT_ENOUGH_SPACE = '243'

const REASON_LENGTH_MAX = 500

/** The embedded engine brings its own copy of the client's error class, so that its shape decides. */
function codeOf(error: unknown): string | undefined {
  const isClickHouse = error instanceof Error && 'code' in error && 'type' in error
  return isClickHouse && typeof error.code === 'string' ? error.code : undefined
}

/** The error to throw to a caller: StatementError where trying again is in vain, else RetryableError. */
export function failureOf(error: unknown, doing: string): StatementError | RetryableError {
  const code = codeOf(error)
  const reason = error instanceof Error ? error.message.slice(0, REASON_LENGTH_MAX) : String(error)
  if (code !== undefined && HOPELESS.has(code)) {
    return new StatementError(`ClickHouse refuses to ${doing} (${code}): ${reason}`, { cause: error })
  }
  if (code === NOT_ENOUGH_SPACE) {
    return new RetryableError(`ClickHouse could not ${doing}: the disk that holds its data is full`, {
      cause: error,
    })
  }
  const where = code === undefined ? '' : ` (${code})`
  return new RetryableError(`ClickHouse could not ${doing}${where}: ${reason}`, { cause: error })
}
