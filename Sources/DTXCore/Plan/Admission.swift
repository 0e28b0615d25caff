/// When a transfer has to be done, as its user says it.
package enum Deadline: Equatable, Sendable {
  /// So long after it was asked for.
  case after(nanoseconds: UInt64)
  /// By a clock on the wall.
  case at(WallInstant)

  /// Reads a duration, `2h`, or a time with its zone, `2026-11-23T18:00:00Z`.
  ///
  /// - Parameter text: nil comes of one that is neither.
  package init?(_ text: String) {
    if let nanoseconds = Quantity.nanoseconds(text), nanoseconds > 0 {
      self = .after(nanoseconds: nanoseconds)
    } else if let instant = WallInstant(text) {
      self = .at(instant)
    } else {
      return nil
    }
  }

  /// What is left until then.
  ///
  /// - Parameters:
  ///   - asked: when the transfer was asked for.
  ///   - now: the present, by the same clock.
  /// - Returns: nanoseconds; 0 once it has passed.
  package func remaining(asked: WallInstant, at now: WallInstant) -> UInt64 {
    switch self {
    case .after(let nanoseconds):
      let spent = asked.nanoseconds(until: now)
      return nanoseconds > spent ? nanoseconds - spent : 0
    case .at(let instant):
      return now.nanoseconds(until: instant)
    }
  }
}

/// What a transfer has promised before its first byte, and what it has promised it with.
package struct AdmissionTerms: Equatable, Sendable {
  /// As the user described them.
  package var lanes: [LaneDescription]
  /// What is left until the deadline; nil without one.
  package var remainingNanoseconds: UInt64?
  /// The present.
  package var now: WallInstant

  package init(lanes: [LaneDescription], remainingNanoseconds: UInt64?, now: WallInstant) {
    self.lanes = lanes
    self.remainingNanoseconds = remainingNanoseconds
    self.now = now
  }

  /// What the user calls the rate of all lanes together; nil where one has none.
  package var rate: Rate? {
    var sum: UInt64 = 0
    for lane in lanes {
      guard let rate = lane.lane.rate else { return nil }
      sum += rate.bitsPerSecond
    }
    return Rate(bitsPerSecond: sum)
  }

  /// When the session would begin: now, or once all lanes' windows are open.
  package var beginning: WallInstant {
    lanes.reduce(now) { latest, lane in max(latest, lane.window?.from ?? latest) }
  }

  /// Whether the whole has to be planned before the first byte.
  package static func isDemanded(of lanes: [LaneDescription], deadline: Deadline?) -> Bool {
    deadline != nil || lanes.contains { $0.window?.until != nil }
  }
}

/// Why a plan cannot keep what was promised.
package enum AdmissionRefusal: Equatable, Sendable {
  /// The end is predicted so long after the deadline; this rate of all lanes would meet it, or none.
  case late(byNanoseconds: UInt64, needed: Rate?)
  /// A lane's work is predicted to end so long after the lane's window.
  case windowTooShort(lane: Int, until: WallInstant, byNanoseconds: UInt64)
}

extension Prediction {
  /// Why a transfer must not begin; nil when it may.
  ///
  /// - Parameter terms: what was promised.
  /// - Returns: the deadline's refusal before the lanes', of these the lowest.
  package func refusal(_ terms: AdmissionTerms) -> AdmissionRefusal? {
    let beginning = terms.beginning
    if let remaining = terms.remainingNanoseconds {
      let delay = terms.now.nanoseconds(until: beginning)
      let limit = remaining - min(remaining, delay)
      if let refusal = refusal(by: limit, terms) { return refusal }
    }
    for (index, (description, lane)) in zip(terms.lanes, lanes).enumerated() {
      guard let window = description.window, let until = window.until, lane.byteCount > 0,
        !window.finishes(startingAt: beginning, taking: lane.finish)
      else { continue }
      let left = beginning.nanoseconds(until: until)
      return .windowTooShort(lane: index, until: until, byNanoseconds: lane.finish - left)
    }
    return nil
  }

  private func refusal(by limit: UInt64, _ terms: AdmissionTerms) -> AdmissionRefusal? {
    guard finish > limit else { return nil }
    let needed = terms.rate.flatMap { rate(meeting: limit, from: $0) }
    return .late(byNanoseconds: finish - limit, needed: needed)
  }
}
