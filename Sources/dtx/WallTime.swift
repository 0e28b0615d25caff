/// Instants of the wall clock as text: `2026-03-01T12:00:00.000000001Z`.
enum WallTime {
  /// The instant, in nanoseconds since 1970 began, in UTC and with all nine decimals, so that the
  /// text is as exact as the number.
  static func text(_ nanoseconds: Int64) -> String {
    let (seconds, fraction) = floored(nanoseconds, by: 1_000_000_000)
    let (days, second) = floored(seconds, by: 86_400)
    let (year, month, day) = date(daysSince1970: days)
    let time = [second / 3600, second / 60 % 60, second % 60].map { padded($0, 2) }
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
      + time.joined(separator: ":") + ".\(padded(fraction, 9))Z"
  }

  /// The Gregorian date, counted in eras of 400 years that begin with the first of March, so that
  /// leap days come last.
  private static func date(daysSince1970 days: Int64) -> (Int64, Int64, Int64) {
    // 719,468 days lie between 1 March of the year 0 and 1 January 1970.
    let (era, dayOfEra) = floored(days + 719_468, by: 146_097)
    let leapDays = dayOfEra / 1460 - dayOfEra / 36_524 + dayOfEra / 146_096
    let yearOfEra = (dayOfEra - leapDays) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    // Months from March on repeat 31, 30, 31, 30, 31 days: 153 in five.
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
  }

  /// Quotient rounded down, and a remainder that is never negative.
  private static func floored(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
    let rest = value % divisor
    return rest < 0 ? (value / divisor - 1, rest + divisor) : (value / divisor, rest)
  }

  private static func padded(_ number: Int64, _ count: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, count - digits.count)) + digits
  }
}
