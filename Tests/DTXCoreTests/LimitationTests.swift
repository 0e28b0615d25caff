import DTXCore
import Testing

/// Worlds whose answer a person would know, and what the rule says of them.
@Suite struct LimitationTests {
  struct World: Sendable, CustomTestStringConvertible {
    var what: String
    var cause: LimitingCause
    var percent: Int
    /// Seconds.
    var times: [(Activity, UInt64)]
    var change: @Sendable (inout Limitation.Evidence) -> Void = { _ in }

    var testDescription: String { what }

    var evidence: Limitation.Evidence {
      var sender = EndTotals()
      var receiver = EndTotals()
      sender.processorCount = 4
      receiver.processorCount = 4
      for (activity, seconds) in times {
        if activity.rawValue < Activity.awaiting.rawValue {
          sender.times[activity] = seconds * Duration.second
        } else {
          receiver.times[activity] = seconds * Duration.second
        }
      }
      var evidence = Limitation.Evidence(sender: sender, receiver: receiver)
      change(&evidence)
      return evidence
    }
  }

  static let worlds = [
    World(
      what: "a disk that is read slowly",
      cause: .sourceRead,
      percent: 86,
      times: [
        (.moving, 100), (.reading, 90), (.encoding, 10), (.awaiting, 90), (.decoding, 10),
      ]
    ),
    World(
      what: "a cipher that is slow at the sender",
      cause: .senderProcessor,
      percent: 76,
      times: [
        (.moving, 100), (.reading, 20), (.encoding, 70), (.sending, 10), (.awaiting, 90),
        (.decoding, 10),
      ]
    ),
    World(
      what: "lanes that are paced, four at a time",
      cause: .rate,
      percent: 95,
      times: [
        (.moving, 100), (.reading, 10), (.encoding, 10), (.blocked, 380), (.awaiting, 380),
        (.decoding, 20),
      ],
      change: { $0.pacedNanoseconds = 95 * Duration.second }
    ),
    World(
      what: "a network that does not give what the lanes may have",
      cause: .network,
      percent: 95,
      times: [
        (.moving, 100), (.reading, 10), (.encoding, 10), (.blocked, 380), (.awaiting, 380),
        (.decoding, 20),
      ],
      change: { $0.pacedNanoseconds = 50 * Duration.second }
    ),
    World(
      what: "a lane that gets less than its contract, while another one keeps its own",
      cause: .lane,
      percent: 90,
      times: [
        (.moving, 100), (.reading, 10), (.encoding, 10), (.blocked, 180), (.awaiting, 180),
        (.decoding, 20),
      ],
      change: {
        $0.pacedNanoseconds = 95 * Duration.second
        $0.shortNanoseconds = 35 * Duration.second
      }
    ),
    World(
      what: "lanes whose last blocks are not even",
      cause: .rate,
      percent: 90,
      times: [
        (.moving, 100), (.reading, 10), (.encoding, 10), (.blocked, 180), (.awaiting, 180),
        (.decoding, 20),
      ],
      change: {
        $0.pacedNanoseconds = 95 * Duration.second
        $0.shortNanoseconds = 9 * Duration.second
      }
    ),
    World(
      what: "small files that a file system is slow to make",
      cause: .receiverFiles,
      percent: 86,
      times: [
        (.moving, 100), (.reading, 10), (.blocked, 90), (.decoding, 10), (.writing, 10),
        (.paused, 80),
      ],
      change: { $0.extentByteCount = 4096 }
    ),
    World(
      what: "small files that a file system is slow to open",
      cause: .sourceFiles,
      percent: 86,
      times: [
        (.moving, 100), (.reading, 90), (.encoding, 10), (.awaiting, 90), (.decoding, 10),
      ],
      change: { $0.extentByteCount = 65_536 }
    ),
    World(
      what: "a network that is slower than both ends, which are not idle",
      cause: .network,
      percent: 40,
      times: [
        (.moving, 100), (.reading, 30), (.encoding, 30), (.blocked, 40), (.awaiting, 40),
        (.decoding, 30), (.writing, 30),
      ]
    ),
    World(
      what: "what a slow path holds after all was handed to it",
      cause: .network,
      percent: 97,
      times: [
        (.moving, 100), (.reading, 1), (.encoding, 1), (.blocked, 1), (.awaiting, 97),
        (.decoding, 3),
      ]
    ),
    World(
      what: "a cipher that is slow at the receiver",
      cause: .receiverProcessor,
      percent: 84,
      times: [
        (.moving, 100), (.reading, 10), (.blocked, 90), (.awaiting, 2), (.receiving, 10),
        (.decoding, 78), (.writing, 10),
      ]
    ),
    World(
      what: "a file system that is slow to take bytes",
      cause: .receiverWrite,
      percent: 76,
      times: [
        (.moving, 100), (.reading, 10), (.blocked, 90), (.decoding, 20), (.writing, 80),
      ]
    ),
    World(
      what: "epochs that wait for each other's sync",
      cause: .receiverSync,
      percent: 76,
      times: [
        (.moving, 100), (.reading, 10), (.blocked, 90), (.decoding, 10), (.writing, 10),
        (.paused, 80),
      ]
    ),
    World(
      what: "a short transfer whose end is a long sync",
      cause: .receiverSync,
      percent: 70,
      times: [(.opening, 5), (.moving, 20), (.settling, 60), (.sealing, 10), (.comparing, 5)]
    ),
    World(
      what: "a tree of many small files that a cold cache holds up",
      cause: .scan,
      percent: 60,
      times: [(.scanning, 60), (.comparing, 20), (.moving, 20), (.walking, 70)]
    ),
    World(
      what: "a comparison that finds everything there",
      cause: .comparison,
      percent: 90,
      times: [(.scanning, 10), (.comparing, 90), (.looking, 90)]
    ),
    World(
      what: "a file of a byte",
      cause: .opening,
      percent: 80,
      times: [(.opening, 8), (.moving, 1), (.sealing, 1)]
    ),
    World(
      what: "two ends that share full processors",
      cause: .processors,
      percent: 98,
      times: [(.moving, 100), (.encoding, 50), (.blocked, 50), (.awaiting, 50), (.decoding, 50)],
      change: {
        $0.isOneHost = true
        $0.sender.processorNanoseconds = 196 * Duration.second
        $0.receiver.processorNanoseconds = 196 * Duration.second
      }
    ),
    World(
      what: "somebody else who fills the processors",
      cause: .processors,
      percent: 95,
      times: [(.moving, 100), (.encoding, 50), (.blocked, 50), (.awaiting, 50), (.decoding, 50)],
      change: {
        $0.isOneHost = true
        $0.sender.processorNanoseconds = 100 * Duration.second
        $0.receiver.processorNanoseconds = 100 * Duration.second
        $0.sender.hostProcessorNanoseconds = 380 * Duration.second
      }
    ),
    World(
      what: "a disk, while somebody else fills the processors",
      cause: .receiverWrite,
      percent: 95,
      times: [(.moving, 100), (.blocked, 100), (.writing, 95), (.decoding, 5)],
      change: {
        $0.isOneHost = true
        $0.sender.processorNanoseconds = 20 * Duration.second
        $0.sender.hostProcessorNanoseconds = 390 * Duration.second
      }
    ),
    World(
      what: "a rate that is reached although the processors are full",
      cause: .rate,
      percent: 80,
      times: [(.moving, 100), (.encoding, 20), (.blocked, 80), (.awaiting, 80), (.decoding, 20)],
      change: {
        $0.isOneHost = true
        $0.pacedNanoseconds = 95 * Duration.second
        $0.sender.processorNanoseconds = 200 * Duration.second
        $0.sender.hostProcessorNanoseconds = 390 * Duration.second
      }
    ),
    World(
      what: "the receiver's host, which is full",
      cause: .receiverProcessor,
      percent: 90,
      times: [(.moving, 100), (.reading, 50), (.blocked, 50), (.decoding, 100)],
      change: {
        $0.sender.processorNanoseconds = 100 * Duration.second
        $0.receiver.processorNanoseconds = 360 * Duration.second
      }
    ),
    World(
      what: "a sender that counts alone",
      cause: .network,
      percent: 80,
      times: [(.moving, 100), (.reading, 20), (.blocked, 80)]
    ),
  ]

  @Test(arguments: worlds)
  func theCauseIsTheOneThatAPersonWouldName(_ world: World) throws {
    let limitation = try #require(Limitation(world.evidence))
    #expect(limitation.shares.first == Limitation.Share(world.cause, percent: world.percent))
  }

  @Test(arguments: worlds)
  func sharesAreOrderedAndComeToTheWhole(_ world: World) throws {
    let shares = try #require(Limitation(world.evidence)).shares
    #expect(shares.allSatisfy { (1...100).contains($0.percent) })
    guard shares[0].cause != .processors,
      shares[0].percent < 85 || world.cause != .receiverProcessor
    else { return }
    #expect(zip(shares, shares.dropFirst()).allSatisfy { $0.percent >= $1.percent })
    let sum = shares.reduce(0) { $0 + $1.percent }
    #expect((95...105).contains(sum), "\(shares)")
  }

  @Test func whoeverCountedNothingSaysNothing() {
    #expect(Limitation(Limitation.Evidence(sender: EndTotals(), receiver: EndTotals())) == nil)
  }

  @Test func noFiguresOfAPeerAreTooMuch() throws {
    var totals = EndTotals()
    totals.processorCount = .max
    totals.processorNanoseconds = .max
    totals.hostProcessorNanoseconds = .max
    for activity in Activity.counted { totals.times[activity] = Limits.activityNanoseconds }
    var evidence = Limitation.Evidence(sender: totals, receiver: totals)
    evidence.pacedNanoseconds = .max
    #expect(Limitation(evidence) != nil)
    evidence.pacedNanoseconds = nil
    evidence.isOneHost = true
    evidence.sender.processorCount = 0
    #expect(Limitation(evidence)?.shares.first?.percent == 100)
    evidence.sender.times = ActivityTimes()
    evidence.sender.times[.moving] = 1
    #expect(Limitation(evidence) != nil)
  }
}
