internal import DTXCore

// The two sessions, told anything that can be decoded, in any order, by a peer that lies: the bytes
// choose the messages, how often each comes, and when this end's own threads report.
extension Decoder {
  static let sessions = [
    Decoder("receive-session") { bytes throws(Violation) in
      var script = ReceiveScript(bytes)
      try script.run()
    },
    Decoder("send-session") { bytes throws(Violation) in
      var script = SendScript(bytes)
      try script.run()
    },
  ]

  /// Events of one input at most: each costs a session of some segments little.
  static let eventCount = 4000
  /// How often a message comes that a peer repeats.
  static let repetitionCount = 2000
  /// What a session holds besides its segments, at most.
  ///
  /// Two epochs and a generation of all blocks that three segments have here fit; one element for
  /// each of a repeated message's does not.
  static let heldCount = 1800
  /// Actions that follow from one event at most, with so few blocks.
  static let actionCount = 1000

  /// The message as a peer's bytes would bring it; nil for what no bytes can say.
  static func arriving(_ message: Message) -> Message? {
    try? MessageCodec.decode(MessageCodec.encode(message))
  }

  /// Elements of a property that is a collection.
  static func count(of property: String, in value: Any) -> Int {
    mirror(of: property, in: value)?.children.count ?? Int.max
  }

  /// The case of a property that is an enumeration, if it has values.
  static func caseName(of property: String, in value: Any) -> String? {
    mirror(of: property, in: value)?.children.first?.label
  }

  private static func mirror(of property: String, in value: Any) -> Mirror? {
    let found = Mirror(reflecting: value).children.first { $0.label == property }
    return found.map { Mirror(reflecting: $0.value) }
  }

  /// Elements of all collections within a value, however deep.
  ///
  /// - Parameters:
  ///   - value: a session.
  ///   - left: properties that have a bound of their own.
  /// - Returns: their number.
  static func heldCount(_ value: Any, without left: Set<String> = []) -> Int {
    let mirror = Mirror(reflecting: value)
    guard mirror.displayStyle != .collection else {
      let nested = mirror.children.first.map { Mirror(reflecting: $0.value).children.isEmpty }
      if nested != false { return mirror.children.count }
      return mirror.children.reduce(mirror.children.count) { $0 + heldCount($1.value) }
    }
    return mirror.children.reduce(0) { sum, child in
      left.contains(child.label ?? "") ? sum : sum + heldCount(child.value)
    }
  }
}

/// How a session ends: once, in a way that can be told, and with nothing behind it.
struct SessionEnd {
  private var latestStop: StopReason?
  private(set) var isReached = false

  /// Sees each action in turn; `outcome` is that of the last one.
  mutating func see(message: Message?, outcome: SessionOutcome?) throws(Violation) {
    try Decoder.demand(!isReached, "an action behind the end")
    if case .stop(let reason, _)? = message { latestStop = reason }
    guard let outcome else { return }
    isReached = true
    guard case .failed(let failure) = outcome else { return }
    try Decoder.demand(!failure.reason.isEmpty, "a failure without a reason")
    if failure.kind == .protocolViolation {
      try Decoder.demand(latestStop == .protocolViolation, "a violation that the peer is not told")
    }
  }
}
