/// All that a user says of one lane.
package struct LaneDescription: Equatable, Sendable {
  /// What the plan counts with, the rate being the contract's.
  package var lane: Lane
  package var route = LaneRoute()
  package var pace = LanePace()
  /// When the network keeps the contract; nil for always.
  package var window: LaneWindow?

  package init(_ lane: Lane) {
    self.lane = lane
  }

  /// What the plan counts with: the rate is what is used of the contract, with Ethernet's bytes.
  ///
  /// - Parameter shape: of the segments on the lane's path.
  /// - Returns: the lane; the same one where nobody rated it.
  package func planned(_ shape: SegmentShape) -> Lane {
    var planned = lane
    planned.rate = lane.rate.map { pace.planned($0, shape) }
    return planned
  }

  /// What is set on the lane's connections.
  package var settings: LaneSettings {
    LaneSettings(
      codePoint: route.codePoint,
      congestionControl: route.congestionControl,
      pacedRate: lane.rate.map { pace.used(of: $0) },
      layer: pace.layer
    )
  }

  /// What is wrong with a set of lanes; nil when it can be planned.
  ///
  /// What is used of a contract may be nothing of a rate that is small, and Ethernet's bytes come to
  /// one that is large.
  ///
  /// - Parameter lanes: as their user described them.
  /// - Returns: a reason, for people.
  package static func problem(in lanes: [LaneDescription]) -> String? {
    Lane.problem(in: lanes.map { $0.lane }) ?? Lane.problem(in: lanes.map { $0.planned(.usual) })
  }
}

/// One thing said of a lane, wherever it was written.
package struct LaneField: Equatable, Sendable {
  package enum Value: Equatable, Sendable {
    case flag(Bool)
    case text(String)
  }

  package var key: String
  package var value: Value
  /// The line of a file that it stands on.
  package var line: Int?

  package init(key: String, value: Value, line: Int? = nil) {
    self.key = key
    self.value = value
    self.line = line
  }
}

/// What is wrong with what was said of a lane.
package struct LaneTextError: Error, Equatable, Sendable, CustomStringConvertible {
  package var line: Int?
  package var key: String?
  package var reason: String

  package init(line: Int? = nil, key: String? = nil, _ reason: String) {
    self.line = line
    self.key = key
    self.reason = reason
  }

  package var description: String {
    let place = line.map { key == nil ? "line \($0): " : "line \($0), " } ?? ""
    return place + (key.map { "\($0): " } ?? "") + reason
  }
}

extension LaneDescription {
  /// The keys, in the order in which they are best written.
  package static let keys = [
    "rate", "reserved", "policed", "pace", "layer", "connections", "name", "bind", "interface",
    "to", "dscp", "congestion", "from", "until",
  ]

  /// Reads `rate=25G,reserved,bind=192.0.2.7`, in any order.
  ///
  /// - Parameter text: parts with commas between them.
  /// - Throws: what is wrong with one of them.
  package init(_ text: String) throws(LaneTextError) {
    var fields: [LaneField] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = pair.count == 2 ? LaneField.Value.text(String(pair[1])) : .flag(true)
      fields.append(LaneField(key: String(pair[0]), value: value))
    }
    try self.init(fields)
  }

  /// Puts together what was said of one lane.
  ///
  /// - Parameter fields: each key once, in any order.
  /// - Throws: what is wrong with one of them, or with all.
  package init(_ fields: [LaneField]) throws(LaneTextError) {
    var reader = LaneFieldReader()
    for (index, field) in fields.enumerated() {
      guard !fields[..<index].contains(where: { $0.key == field.key }) else {
        throw LaneTextError(line: field.line, key: field.key, "it is said twice")
      }
      try reader.take(field)
    }
    do throws(LaneTextError) {
      self = try reader.finish()
    } catch {
      throw LaneTextError(line: fields.first?.line, key: error.key, error.reason)
    }
  }
}

/// Takes what is said of a lane, one by one.
private struct LaneFieldReader {
  private var description = LaneDescription(
    Lane(contract: .bestEffort, rate: nil, connectionCount: 0)
  )
  private var isPoliced = false
  private var percent: Int?
  private var layer: CountedLayer?
  private var from: WallInstant?
  private var until: WallInstant?

  mutating func take(_ field: LaneField) throws(LaneTextError) {
    switch field.key {
    case "reserved":
      description.lane.contract = try flag(field) ? .reserved : .bestEffort
    case "policed":
      isPoliced = try flag(field)
    case "rate", "pace", "layer", "connections", "name":
      try takeRate(field)
    case "bind", "interface", "to", "dscp", "congestion":
      try takeRoute(field)
    case "from":
      from = try instant(field)
    case "until":
      until = try instant(field)
    default:
      let keys = LaneDescription.keys.joined(separator: ", ")
      throw LaneTextError(line: field.line, "there is no key '\(field.key)', but \(keys)")
    }
  }

  /// The whole, once all is taken.
  func finish() throws(LaneTextError) -> LaneDescription {
    var whole = description
    guard let rate = whole.lane.rate else {
      if whole.lane.contract == .reserved { throw LaneTextError("a reserved lane has a rate") }
      let word = isPoliced ? "policed" : percent != nil ? "pace" : layer != nil ? "layer" : nil
      if let word { throw LaneTextError(key: word, "it says how a rate is held: give a rate") }
      whole.lane.connectionCount = max(1, whole.lane.connectionCount)
      whole.window = try window()
      return whole
    }
    let share = percent ?? (isPoliced ? LanePace.policedPercent : 100)
    whole.pace = LanePace(layer: layer ?? .l2, percent: share)
    if whole.lane.connectionCount == 0 {
      whole.lane.connectionCount = Lane.connectionCount(for: rate)
    }
    whole.window = try window()
    return whole
  }

  private func window() throws(LaneTextError) -> LaneWindow? {
    guard from != nil || until != nil else { return nil }
    guard let window = LaneWindow(from: from, until: until) else {
      throw LaneTextError(key: "until", "it is not after from")
    }
    return window
  }

  private mutating func takeRate(_ field: LaneField) throws(LaneTextError) {
    let text = try text(field)
    switch field.key {
    case "rate":
      guard let rate = Quantity.rate(text) else {
        throw error(field, "a rate is in bits per second, such as 10G, 50Mbit or 1Gibit")
      }
      description.lane.rate = rate
    case "pace":
      let digits = text.hasSuffix("%") ? text.dropLast() : text[...]
      guard let percent = LaneFieldReader.number(digits), (1...100).contains(percent) else {
        throw error(field, "a share of the rate is 1% to 100%")
      }
      self.percent = percent
    case "layer":
      guard let layer = CountedLayer.allCases.first(where: { $0.name == text }) else {
        throw error(field, "a contract counts l2, with Ethernet's bytes, or l3, IP packets alone")
      }
      self.layer = layer
    case "connections":
      guard let count = LaneFieldReader.number(text[...]),
        (1...Limits.connectionCount).contains(count)
      else { throw error(field, "a lane has 1 to \(Limits.connectionCount) connections") }
      description.lane.connectionCount = count
    default:
      guard text.utf8.count <= Limits.nameByteCount else {
        throw error(field, "a name has at most \(Limits.nameByteCount) bytes")
      }
      description.lane.name = text
    }
  }

  private mutating func takeRoute(_ field: LaneField) throws(LaneTextError) {
    let text = try text(field)
    switch field.key {
    case "bind":
      let digits = text.split(separator: "%", maxSplits: 1).first ?? ""
      guard digits.contains(where: { $0 == "." || $0 == ":" }),
        digits.allSatisfy({ $0.isASCII && ($0.isHexDigit || $0 == "." || $0 == ":") })
      else { throw error(field, "an address to come from is in digits, such as 192.0.2.7") }
      description.route.bindAddress = text
    case "interface":
      guard LaneFieldReader.isWord(text, maximum: 15) else {
        throw error(field, "an interface has a name of 1 to 15 bytes, such as ens1f0")
      }
      description.route.interface = text
    case "to":
      guard let target = LaneTarget(text) else {
        throw error(field, "a lane goes to host, host:port or [address]:port")
      }
      description.route.target = target
    case "dscp":
      guard let mark = CodePoint(text) else {
        throw error(field, "a mark is cs0 to cs7, af11 to af43, ef, va, le, or 0 to 63")
      }
      description.route.codePoint = mark
    default:
      guard LaneFieldReader.isWord(text, maximum: Limits.congestionControlByteCount) else {
        throw error(field, "congestion control has a name, such as cubic or bbr")
      }
      description.route.congestionControl = text
    }
  }

  private func instant(_ field: LaneField) throws(LaneTextError) -> WallInstant {
    guard let instant = WallInstant(try text(field)) else {
      throw error(field, "a time is such as 2026-11-23T18:00:00Z or 2026-11-23T18:00:00+01:00")
    }
    return instant
  }

  private func flag(_ field: LaneField) throws(LaneTextError) -> Bool {
    guard case .flag(let isSet) = field.value else {
      throw error(field, "it stands alone, without a value")
    }
    return isSet
  }

  private func text(_ field: LaneField) throws(LaneTextError) -> String {
    guard case .text(let text) = field.value else { throw error(field, "it takes a value") }
    return text
  }

  private func error(_ field: LaneField, _ reason: String) -> LaneTextError {
    LaneTextError(line: field.line, key: field.key, reason)
  }

  /// Digits alone; nil for what is none, or too large.
  private static func number(_ text: Substring) -> Int? {
    guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
    return Int(text)
  }

  /// Visible ASCII without a slash.
  private static func isWord(_ text: String, maximum: Int) -> Bool {
    (1...maximum).contains(text.utf8.count)
      && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }
  }
}
