/// What holds a transfer up in a blind run, and how much: drawn by lot.
package struct DrawnCause: Codable, Sendable, Equatable {
  package enum Kind: String, Codable, CaseIterable, Sendable {
    case sourceDisk = "source's disk"
    case targetDisk = "target's disk"
    case files = "files a second"
    case processors = "processors"
    case competitor = "a competitor"
    case lane = "a lane"
  }

  package var kind: Kind
  /// What of the range of strengths, in thousandths.
  package var strength: Int

  /// How the report names this cause: any of these is right.
  package var names: [String] {
    switch kind {
    case .sourceDisk: ["the source's read"]
    case .targetDisk: ["the receiver's write", "the receiver's sync"]
    case .files: ["the receiver's files a second"]
    case .processors: ["the processors", "the sender's processor", "the receiver's processor"]
    case .competitor: ["the network"]
    case .lane: ["a lane below its contract"]
    }
  }

  /// A place in a range, by the strength.
  func drawn(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + (range.upperBound - range.lowerBound) * strength / 1000
  }

  /// The cause of each run.
  ///
  /// - Parameters:
  ///   - count: runs.
  ///   - seed: the same one draws the same causes.
  ///   - kinds: to be drawn from.
  /// - Returns: one for each run.
  package static func draw(_ count: Int, seed: UInt64, of kinds: [Kind]) -> [DrawnCause] {
    var state = seed
    func next(below bound: Int) -> Int {
      // SplitMix64.
      state &+= 0x9e37_79b9_7f4a_7c15
      var value = state
      value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
      value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
      return Int((value ^ (value >> 31)) % UInt64(bound))
    }
    return (0..<count).map { _ in
      DrawnCause(kind: kinds[next(below: kinds.count)], strength: next(below: 1001))
    }
  }
}
