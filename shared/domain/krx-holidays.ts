// Weekdays without trading and days with other hours at KRX. Facts as observed in trading to 2026-08-14, after that as
// announced. From KRX_PROVISIONAL_FROM on KRX has not published its list yet (it does so in December); what stands here is
// what the law gives: the public holidays, Seollal, Buddha's Birthday and Chuseok by the Korean lunar calendar, substitute
// days (for Seollal and Chuseok when they fall on a Sunday, for the others but New Year's Day and Memorial Day on a
// Saturday too), and KRX's own closing on the last weekday of the year. Not in it: days that a government still has to
// decree, and whether Labor Day, a Saturday in 2027, moves to Monday 2027-05-03.

/** First and last day that is known, both inclusive. */
export const KRX_CALENDAR_FIRST = '2023-01-01'
export const KRX_CALENDAR_LAST = '2027-12-31'
/** From here on: derived, not published. The day after KRX_CALENDAR_LAST where all is published. */
export const KRX_PROVISIONAL_FROM = '2027-01-01'

/** Weekdays without a session. Saturdays and Sundays are not listed. */
export const KRX_HOLIDAYS: readonly (readonly [date: string, reason: string])[] = [
  ['2023-01-23', 'Seollal holiday'],
  ['2023-01-24', 'Seollal substitute holiday'],
  ['2023-03-01', 'Independence Movement Day'],
  ['2023-05-01', 'Labor Day'],
  ['2023-05-05', "Children's Day"],
  ['2023-05-29', "Buddha's Birthday substitute holiday"],
  ['2023-06-06', 'Memorial Day'],
  ['2023-08-15', 'Liberation Day'],
  ['2023-09-28', 'Chuseok holiday'],
  ['2023-09-29', 'Chuseok'],
  ['2023-10-02', 'Temporary public holiday'],
  ['2023-10-03', 'National Foundation Day'],
  ['2023-10-09', 'Hangul Day'],
  ['2023-12-25', 'Christmas Day'],
  ['2023-12-29', 'Year-end closing'],
  ['2024-01-01', "New Year's Day"],
  ['2024-02-09', 'Seollal holiday'],
  ['2024-02-12', 'Seollal substitute holiday'],
  ['2024-03-01', 'Independence Movement Day'],
  ['2024-04-10', 'National Assembly election'],
  ['2024-05-01', 'Labor Day'],
  ['2024-05-06', "Children's Day substitute holiday"],
  ['2024-05-15', "Buddha's Birthday"],
  ['2024-06-06', 'Memorial Day'],
  ['2024-08-15', 'Liberation Day'],
  ['2024-09-16', 'Chuseok holiday'],
  ['2024-09-17', 'Chuseok'],
  ['2024-09-18', 'Chuseok holiday'],
  ['2024-10-01', 'Temporary public holiday (Armed Forces Day)'],
  ['2024-10-03', 'National Foundation Day'],
  ['2024-10-09', 'Hangul Day'],
  ['2024-12-25', 'Christmas Day'],
  ['2024-12-31', 'Year-end closing'],
  ['2025-01-01', "New Year's Day"],
  ['2025-01-27', 'Temporary public holiday'],
  ['2025-01-28', 'Seollal holiday'],
  ['2025-01-29', 'Seollal'],
  ['2025-01-30', 'Seollal holiday'],
  ['2025-03-03', 'Independence Movement Day substitute holiday'],
  ['2025-05-01', 'Labor Day'],
  ['2025-05-05', "Children's Day and Buddha's Birthday"],
  ['2025-05-06', 'Substitute holiday'],
  ['2025-06-03', 'Presidential election'],
  ['2025-06-06', 'Memorial Day'],
  ['2025-08-15', 'Liberation Day'],
  ['2025-10-03', 'National Foundation Day'],
  ['2025-10-06', 'Chuseok'],
  ['2025-10-07', 'Chuseok holiday'],
  ['2025-10-08', 'Chuseok substitute holiday'],
  ['2025-10-09', 'Hangul Day'],
  ['2025-12-25', 'Christmas Day'],
  ['2025-12-31', 'Year-end closing'],
  ['2026-01-01', "New Year's Day"],
  ['2026-02-16', 'Seollal holiday'],
  ['2026-02-17', 'Seollal'],
  ['2026-02-18', 'Seollal holiday'],
  ['2026-03-02', 'Independence Movement Day substitute holiday'],
  ['2026-05-01', 'Labor Day'],
  ['2026-05-05', "Children's Day"],
  ['2026-05-25', "Buddha's Birthday substitute holiday"],
  ['2026-06-03', 'Local elections'],
  ['2026-07-17', 'Constitution Day'],
  ['2026-08-17', 'Liberation Day substitute holiday'],
  ['2026-09-24', 'Chuseok holiday'],
  ['2026-09-25', 'Chuseok'],
  ['2026-10-05', 'National Foundation Day substitute holiday'],
  ['2026-10-09', 'Hangul Day'],
  ['2026-12-25', 'Christmas Day'],
  ['2026-12-31', 'Year-end closing'],
  ['2027-01-01', "New Year's Day"],
  ['2027-02-08', 'Seollal holiday'],
  ['2027-02-09', 'Seollal substitute holiday'],
  ['2027-03-01', 'Independence Movement Day'],
  ['2027-05-05', "Children's Day"],
  ['2027-05-13', "Buddha's Birthday"],
  ['2027-07-19', 'Constitution Day substitute holiday'],
  ['2027-08-16', 'Liberation Day substitute holiday'],
  ['2027-09-14', 'Chuseok holiday'],
  ['2027-09-15', 'Chuseok'],
  ['2027-09-16', 'Chuseok holiday'],
  ['2027-10-04', 'National Foundation Day substitute holiday'],
  ['2027-10-11', 'Hangul Day substitute holiday'],
  ['2027-12-27', 'Christmas Day substitute holiday'],
  ['2027-12-31', 'Year-end closing'],
]

export interface SpecialHours {
  readonly date: string
  /** Continuous trading begins, `HH:MM` in Korea. */
  readonly open: string
  /** The closing auction ends. */
  readonly close: string
  readonly reason: string
}

const firstDay = (date: string): SpecialHours => ({
  date,
  open: '10:00',
  close: '15:30',
  reason: 'first session of the year',
})
const examDay = (date: string): SpecialHours => ({
  date,
  open: '10:00',
  close: '16:30',
  reason: 'college entrance examination',
})

/**
 * Sessions with other hours than 09:00 to 15:30. The examination of 2026 was set by the Ministry of Education in 2024-08;
 * that of 2027 is taken to be on the third Thursday of November as the ones before it.
 */
export const KRX_SPECIAL_HOURS: readonly SpecialHours[] = [
  firstDay('2023-01-02'),
  examDay('2023-11-16'),
  firstDay('2024-01-02'),
  examDay('2024-11-14'),
  firstDay('2025-01-02'),
  examDay('2025-11-13'),
  firstDay('2026-01-02'),
  examDay('2026-11-19'),
  firstDay('2027-01-04'),
  examDay('2027-11-18'),
]
