internal import DTXCore
internal import DTXSimulator

// What people write: on command lines, in files, in patterns.
extension Decoder {
  static let texts = [
    Decoder("lane") { bytes throws(Violation) in
      guard let lane = try? LaneDescription(text(bytes)) else { return }
      try holdLanes([lane])
    },
    Decoder("lane-file") { bytes throws(Violation) in
      guard let lanes = try? LaneFile.lanes(text(bytes)) else { return }
      try holdLanes(lanes)
    },
    Decoder("host-configuration") { bytes throws(Violation) in
      guard let read = try? HostConfiguration(text(bytes)) else { return }
      try demand(read.narrowed(by: read) == read, "narrowed by itself, it is another")
    },
    Decoder("scenario", check: checkScenario),
    Decoder("filter", check: checkFilter),
    Decoder("quantity", check: checkQuantity),
  ]

  private static func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: Array(bytes), as: UTF8.self)
  }

  /// Lanes that pass the check of all can be planned and said to a peer.
  private static func holdLanes(_ lanes: [LaneDescription]) throws(Violation) {
    for lane in lanes { _ = lane.planned(.usual) }
    guard LaneDescription.problem(in: lanes) == nil else { return }
    try holdInputs(PlanInputs(lanes: lanes.map { $0.planned(.usual) }))
    let settings = lanes.map { $0.settings }
    var writer = ByteWriter()
    LaneSettingsCodec.encode(settings, into: &writer)
    var reader = ByteReader(writer.bytes)
    let read = try? LaneSettingsCodec.lanes(&reader)
    try demand(read == settings && reader.isAtEnd, "a peer reads other settings")
  }

  /// A scenario that is taken has lanes that can be planned, in each of its variants.
  @Sendable private static func checkScenario(_ bytes: [UInt8]) throws(Violation) {
    guard let scenario = try? Scenario(parsing: text(bytes)) else { return }
    try demand(Lane.problem(in: scenario.lanes) == nil, "lanes that cannot be planned")
    try demand(!scenario.variants.isEmpty, "no variant")
    for fault in StandardFault.allCases { _ = fault.fault(in: scenario) }
  }

  /// Rules on a line each, `+` before those that include, and a path on the last line.
  @Sendable private static func checkFilter(_ bytes: [UInt8]) throws(Violation) {
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let path = Array(lines.removeLast())
    let rules = lines.map { line in
      let isInclude = line.first == UInt8(ascii: "+")
      return FilterRule(isInclude: isInclude, pattern: Array(isInclude ? line.dropFirst() : line))
    }
    let filter = Filter(rules)
    for isDirectory in [false, true] {
      _ = filter.keeps(path, isDirectory: isDirectory)
    }
    let slash = UInt8(ascii: "/")
    guard !path.isEmpty, path.first != slash, path.last != slash else { return }
    // A path with its wildcards escaped is a pattern that matches it.
    let wildcards = Array("*?[".utf8)
    let hasWildcard = path.contains { wildcards.contains($0) }
    let escapes = hasWildcard ? wildcards + Array("\\".utf8) : []
    let pattern = [slash] + path.flatMap { escapes.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
    let other = Filter([FilterRule(isInclude: false, pattern: pattern)])
    try demand(!other.keeps(path, isDirectory: false), "an escaped path does not match itself")
  }

  /// Everything that is one word.
  @Sendable private static func checkQuantity(_ bytes: [UInt8]) throws(Violation) {
    let word = text(bytes)
    if let rate = Quantity.rate(word) {
      try demand(rate.bitsPerSecond > 0, "a rate of nothing")
    }
    _ = Quantity.byteCount(word)
    _ = Quantity.nanoseconds(word)
    if let deadline = Deadline(word) {
      let now = WallInstant(seconds: 1_800_000_000)
      _ = deadline.remaining(asked: now, at: now)
    }
    if let instant = WallInstant(word) { _ = LaneWindow(from: instant, until: instant) }
    _ = LaneTarget(word)
    if let mark = CodePoint(word) { try demand(mark.value < 64, "a mark of \(mark.value)") }
    if let claim = CapacityClaim(word) {
      try demand(CapacityClaim(claim.line) == claim, "a share that is read otherwise")
    }
  }
}
