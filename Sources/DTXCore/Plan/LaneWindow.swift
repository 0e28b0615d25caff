/// A moment that people agree on, whatever their clocks show: seconds and nanoseconds of UTC.
///
/// Only windows and reports know such moments; sessions run on instants of their own host.
package struct WallInstant: Hashable, Comparable, Sendable {
  /// Since the beginning of 1970, leap seconds not counted.
  package var seconds: Int64
  /// Below 10^9.
  package var nanoseconds: UInt32

  package init(seconds: Int64, nanoseconds: UInt32 = 0) {
    precondition(nanoseconds < 1_000_000_000, "a second and more of nanoseconds")
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  package static func < (left: WallInstant, right: WallInstant) -> Bool {
    (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
  }

  /// Reads a time of RFC 3339 with its zone: `2026-11-23T18:00:00Z`, `2026-11-23 18:00:00.5+01:00`.
  ///
  /// - Parameter text: nil comes of one that is none; digits beyond nanoseconds are dropped.
  package init?(_ text: String) {
    var reader = TimeReader(text)
    guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2),
      reader.skip("-"), let day = reader.number(2),
      reader.skip("T") || reader.skip("t") || reader.skip(" "),
      let hour = reader.number(2), reader.skip(":"), let minute = reader.number(2),
      reader.skip(":"), let second = reader.number(2)
    else { return nil }
    var fraction: UInt32 = 0
    if reader.skip(".") {
      guard let read = reader.fraction() else { return nil }
      fraction = read
    }
    guard let offset = reader.offset(), reader.isAtEnd else { return nil }
    guard (1...12).contains(month), day >= 1, day <= WallInstant.dayCount(year: year, month: month),
      hour < 24, minute < 60, second < 60
    else { return nil }
    let days = WallInstant.days(year: year, month: month, day: day)
    self.init(
      seconds: Int64(days) * 86400 + Int64(hour * 3600 + minute * 60 + second) - Int64(offset),
      nanoseconds: fraction
    )
  }

  /// Nanoseconds until a later moment; 0 for one that is not later.
  package func nanoseconds(until later: WallInstant) -> UInt64 {
    guard self < later else { return 0 }
    let second = Int128(Duration.second)
    let span = (Int128(later.seconds) - Int128(seconds)) * second
    return UInt64(clamping: span + Int128(later.nanoseconds) - Int128(nanoseconds))
  }

  /// So many nanoseconds later.
  package func advanced(by span: UInt64) -> WallInstant {
    let sum = UInt64(nanoseconds) + span % Duration.second
    return WallInstant(
      seconds: seconds + Int64(span / Duration.second + sum / Duration.second),
      nanoseconds: UInt32(sum % Duration.second)
    )
  }

  private static func isLeap(_ year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  private static func dayCount(year: Int, month: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days from 1 January 1970, of the Gregorian calendar: whole years, with a leap day for each
  /// fourth but three of four centuries, then months and days.
  private static func days(year: Int, month: Int, day: Int) -> Int {
    let earlier = year - 1
    var days = year * 365 + earlier / 4 - earlier / 100 + earlier / 400
    // Year 0 is one of the leap years, and the division above counts from year 1.
    if year > 0 { days += 1 }
    for before in 1..<month { days += dayCount(year: year, month: before) }
    let epoch = 1970 * 365 + 1969 / 4 - 1969 / 100 + 1969 / 400 + 1
    return days + day - 1 - epoch
  }
}

/// The parts of a time, one after another.
private struct TimeReader {
  private var rest: Substring.UTF8View

  init(_ text: String) {
    rest = text[...].utf8
  }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func skip(_ character: Character) -> Bool {
    guard let byte = rest.first, byte == character.asciiValue else { return false }
    rest.removeFirst()
    return true
  }

  mutating func number(_ digitCount: Int) -> Int? {
    let digits = rest.prefix(digitCount)
    guard digits.count == digitCount, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
      return nil
    }
    rest = rest.dropFirst(digitCount)
    return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  /// Nanoseconds of at least one digit behind a point.
  mutating func fraction() -> UInt32? {
    let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
    guard !digits.isEmpty else { return nil }
    rest = rest.dropFirst(digits.count)
    var nanoseconds: UInt32 = 0
    for place in 0..<9 {
      let digit = digits.dropFirst(place).first.map { UInt32($0 - 0x30) } ?? 0
      nanoseconds = nanoseconds * 10 + digit
    }
    return nanoseconds
  }

  /// Seconds that the zone is ahead of UTC.
  mutating func offset() -> Int? {
    if skip("Z") || skip("z") { return 0 }
    let isAhead = skip("+")
    guard isAhead || skip("-"), let hours = number(2), skip(":"), let minutes = number(2),
      hours < 24, minutes < 60
    else { return nil }
    let seconds = hours * 3600 + minutes * 60
    return isAhead ? seconds : -seconds
  }
}

/// When a network keeps a lane's contract: a reservation is a rate and a time.
package struct LaneWindow: Equatable, Sendable {
  /// Nil for since ever.
  package var from: WallInstant?
  /// Nil for ever.
  package var until: WallInstant?

  /// - Returns: nil for one that ends before it has begun.
  package init?(from: WallInstant?, until: WallInstant?) {
    if let from, let until, until <= from { return nil }
    self.from = from
    self.until = until
  }

  /// Whether the contract holds at a moment.
  package func holds(at now: WallInstant) -> Bool {
    if let from, now < from { return false }
    if let until, now >= until { return false }
    return true
  }

  /// Whether what begins now and takes so long is over before the window ends.
  ///
  /// - Parameters:
  ///   - now: when it begins.
  ///   - nanoseconds: what it takes.
  /// - Returns: true where the window has no end.
  package func finishes(startingAt now: WallInstant, taking nanoseconds: UInt64) -> Bool {
    guard let until else { return true }
    return now < until && nanoseconds <= now.nanoseconds(until: until)
  }
}
