import DTXCore
import Testing

/// A sender and a receiver that hear each other at once, with two reserved lanes.
@Suite struct GenerationTests {
  private struct Pair {
    static let inputs = inputs(bitsPerSecond: 8_000_000)
    static let segment: Segment = {
      var tree = Tree()
      tree.add("large", byteCount: 64_000_000)
      return Segment(index: 0, isLast: true, inventory: tree.inventory(), blockByteCount: 1_000_000)
    }()
    static let connections = [0, 1].map { ConnectionID(lane: $0, number: 1) }

    var sender: HandDrivenSender
    var receiver: HandDrivenReceiver
    /// Blocks on each lane, in the order in which they were loaded.
    var loaded: [[Int]] = [[], []]
    /// What the sender said and the receiver has not heard.
    var toReceiver: [Message] = []
    var outcomes: [SessionOutcome] = []
    /// Messages of generations are kept back while set.
    var keepsBackGenerations = false
    var revisions: [Revision] = []

    static func inputs(bitsPerSecond: UInt64, overhead: UInt64 = 1) -> PlanInputs {
      PlanInputs(
        lanes: [bitsPerSecond, bitsPerSecond].map {
          Lane(contract: .reserved, rate: Rate(bitsPerSecond: $0), connectionCount: 1)
        },
        overheadNumerator: overhead
      )
    }

    init(_ inputs: PlanInputs = Pair.inputs) {
      sender = HandDrivenSender(inputs: inputs)
      receiver = HandDrivenReceiver(inputs: inputs, blockByteCount: 1_000_000)
      sender.tell(.scanned(Pair.segment))
      for message in SessionFixtures.announcement(of: Pair.segment) { receiver.hear(message) }
      receiver.tell(.compared(segment: 0, SessionFixtures.comparison(of: Pair.segment)))
      exchange()
      receiver.tell(.prepared(segment: 0, []))
      exchange()
      for id in Pair.connections { up(id) }
    }

    mutating func up(_ id: ConnectionID) {
      receiver.tell(.connectionUp(id))
      sender.tell(.connectionUp(id))
      exchange()
    }

    /// Lets both hear what the other one said.
    mutating func exchange() {
      while true {
        for action in sender.takeActions() {
          switch action {
          case .send(let message): toReceiver.append(message)
          case .load(let id, let work): loaded[id.lane].append(work.reference.block)
          case .revised(let revision): revisions.append(revision)
          case .finish(let outcome): outcomes.append(outcome)
          default: break
          }
        }
        let heard = receiver.takeActions()
        for case .finish(let outcome) in heard { outcomes.append(outcome) }
        if heard.isEmpty, toReceiver.isEmpty || keepsBackGenerations { return }
        for case .send(let message) in heard { sender.hear(message) }
        guard !keepsBackGenerations else { continue }
        let messages = toReceiver
        toReceiver = []
        for message in messages { receiver.hear(message) }
      }
    }

    /// The oldest block of a lane gets there.
    mutating func deliver(_ lane: Int, over id: ConnectionID? = nil) {
      guard !loaded[lane].isEmpty else { return }
      let id = id ?? Pair.connections[lane]
      let block = loaded[lane].removeFirst()
      sender.report(SessionFixtures.block(block), Pair.segment, over: id)
      exchange()
      receiver.take(block, of: Pair.segment, over: id)
      exchange()
    }

    /// Lets time pass, while a lane keeps its rate.
    mutating func pass(seconds: UInt64, delivering lane: Int? = nil) {
      for _ in 0..<seconds {
        if let lane { deliver(lane) }
        sender.now = sender.now + Duration.second
        receiver.now = sender.now
        sender.hear(.heartbeat)
        receiver.hear(.heartbeat)
        exchange()
      }
    }

    mutating func lose(_ id: ConnectionID) {
      loaded[id.lane] = []
      receiver.tell(.connectionLost(id, reason: "cut"))
      sender.tell(.connectionLost(id, reason: "cut"))
      exchange()
    }

    /// Nothing comes back over a connection that the receiver takes for a live one.
    mutating func fallSilent(_ id: ConnectionID) {
      loaded[id.lane] = []
      let silence = Limits.lanePatienceNanoseconds
      sender.tell(.connectionSilent(id, nanoseconds: silence))
      #expect(sender.closed == [id])
      exchange()
      receiver.tell(.connectionLost(id, reason: "it was closed"))
      exchange()
    }

    /// Delivers what is left.
    mutating func drain(_ ids: [Int: ConnectionID] = [:]) {
      while !loaded.allSatisfy({ $0.isEmpty }) {
        for lane in 0..<2 { deliver(lane, over: ids[lane]) }
      }
    }

    var receivedBlockCount: Int { Int(receiver.session.progress.receivedByteCount / 1_000_000) }
  }

  @Test("a lost lane's blocks go over the other one, once both ends have planned it")
  func movesALostLanesBlocks() {
    var pair = Pair()
    for _ in 0..<4 { pair.deliver(0) }
    for _ in 0..<2 { pair.deliver(1) }
    pair.lose(Pair.connections[1])
    pair.pass(seconds: 9, delivering: 0)
    #expect(pair.revisions.isEmpty, "it may come back")
    pair.keepsBackGenerations = true
    pair.pass(seconds: 2, delivering: 0)
    #expect(pair.revisions.map(\.to.number) == [1])
    #expect(pair.revisions.first?.to.queues.map(\.isOpen) == [true, false])
    #expect(pair.revisions.first?.movedByteCount == 30_000_000)
    // What stays flows on; what moves waits for the receiver's word.
    while !pair.loaded[0].isEmpty { pair.deliver(0) }
    #expect(pair.receivedBlockCount == 34)
    pair.keepsBackGenerations = false
    pair.exchange()
    pair.drain()
    #expect(pair.outcomes.isEmpty)
    #expect(pair.receivedBlockCount == 64)
    #expect(pair.receiver.session.progress.offPlanBlockCount == 0)
  }

  @Test("a lane that fell silent has had its patience")
  func movesASilentLanesBlocks() {
    var pair = Pair()
    for _ in 0..<11 {
      pair.deliver(1)
      pair.pass(seconds: 1, delivering: 0)
    }
    pair.fallSilent(Pair.connections[1])
    pair.pass(seconds: 2, delivering: 0)
    #expect(pair.revisions.map(\.to.number) == [1])
    #expect(pair.revisions.first?.to.queues.map(\.isOpen) == [true, false])
    pair.drain()
    #expect(pair.receivedBlockCount == 64)
    #expect(pair.receiver.session.progress.offPlanBlockCount == 0)
    // It was given up once.
    pair.sender.tell(.connectionSilent(Pair.connections[1], nanoseconds: Duration.second))
    #expect(pair.sender.closed.isEmpty)
  }

  @Test("a lane that comes back takes its part again")
  func takesBackALane() {
    var pair = Pair()
    pair.lose(Pair.connections[1])
    pair.pass(seconds: 20, delivering: 0)
    let again = ConnectionID(lane: 1, number: 2)
    pair.up(again)
    pair.pass(seconds: 1)
    #expect(pair.revisions.map(\.to.number) == [1, 2])
    #expect(pair.revisions.last?.to.queues.map(\.isOpen) == [true, true])
    #expect(!pair.loaded[1].isEmpty)
    pair.drain([1: again])
    #expect(pair.outcomes.isEmpty)
    #expect(pair.receivedBlockCount == 64)
    #expect(pair.receiver.session.progress.offPlanBlockCount == 0)
  }

  @Test("a lane that lags is relieved, and one that keeps its rate is not")
  func relievesALaggard() {
    for isLagging in [true, false] {
      var pair = Pair()
      // A megabyte a second is each lane's rate.
      for second in 0..<20 {
        pair.deliver(0)
        if !isLagging || second % 4 == 0 { pair.deliver(1) }
        pair.pass(seconds: 1)
      }
      #expect(pair.revisions.isEmpty != isLagging)
      guard let first = pair.revisions.first else { continue }
      #expect(first.to.queues[0].rate == Pair.inputs.lanes[0].rate)
      let seen = first.to.queues[1].rate?.bitsPerSecond ?? 0
      #expect(seen > 1_500_000 && seen < 5_000_000, "\(seen)")
      pair.drain()
      #expect(pair.receivedBlockCount == 64)
      #expect(pair.outcomes.isEmpty)
      #expect(pair.receiver.session.progress.offPlanBlockCount == 0)
    }
  }

  @Test("when both lanes are as slow, nothing is to be gained")
  func leavesSlowLanesAlone() {
    var pair = Pair()
    for _ in 0..<15 {
      pair.deliver(0)
      pair.deliver(1)
      pair.pass(seconds: 2)
    }
    #expect(pair.revisions.isEmpty)
  }

  @Test("what is left may take more bytes of the wire than a number holds")
  func plansMoreThanANumberHolds() {
    // A block takes almost 2^60 bytes, and each lane has 30 of them left.
    let rate = Limits.laneBitsPerSecond
    var pair = Pair(Pair.inputs(bitsPerSecond: rate, overhead: 1 << 40))
    pair.pass(seconds: 10)
    pair.sender.tell(.adjusted(.pause))
    pair.sender.tell(.adjusted(.resume))
    pair.pass(seconds: 1)
    #expect(pair.revisions.map(\.isAsked) == [true])
    pair.drain()
    #expect(pair.outcomes.isEmpty)
    #expect(pair.receivedBlockCount == 64)
  }

  @Test("a pause lets nothing begin, and a resumed transfer is planned anew")
  func pauses() {
    var pair = Pair()
    pair.sender.tell(.adjusted(.pause))
    pair.drain()
    let before = pair.receivedBlockCount
    #expect(before < 32, "only what was under way arrives")
    pair.pass(seconds: 30)
    #expect(pair.receivedBlockCount == before)
    #expect(pair.revisions.isEmpty)
    pair.sender.tell(.adjusted(.resume))
    pair.pass(seconds: 1)
    #expect(pair.revisions.map(\.isAsked) == [true])
    pair.drain()
    #expect(pair.outcomes.isEmpty)
    #expect(pair.receivedBlockCount == 64)
  }

  @Test("another rate is told to the lanes, and planned with")
  func changesRates() {
    var pair = Pair()
    let rates = [2_000_000, 6_000_000].map { Rate(bitsPerSecond: $0) }
    pair.sender.tell(.adjusted(.rates(rates)))
    let paced = pair.sender.actions.compactMap { action in
      if case .pace(let rates) = action { rates } else { nil }
    }
    #expect(paced == [rates])
    pair.pass(seconds: 1)
    #expect(pair.revisions.map { $0.to.queues.map(\.rate) } == [rates])
    #expect(pair.revisions.map(\.isAsked) == [true])
    pair.drain()
    #expect(pair.receivedBlockCount == 64)
    #expect(pair.receiver.session.progress.offPlanBlockCount == 0)
  }

  @Test("a receiver whose user it is passes a wish on, and a sender takes no other's")
  func passesWishesOn() {
    var pair = Pair()
    pair.receiver.tell(.adjusted(.pause))
    pair.exchange()
    #expect(pair.sender.session.isPaused)
    let most = Pair.inputs.lanes[1].rate?.bitsPerSecond ?? 0
    for rates in [[], [1], [0, 9], [9, most + 1]] as [[UInt64]] {
      var other = Pair()
      other.sender.hear(.adjust(.rates(rates.map { Rate(bitsPerSecond: $0) })))
      #expect(other.sender.violation != nil)
    }
  }

  @Test("a receiver names a generation that makes no sense")
  func namesNonsense() {
    let next = Generation(number: 1, queues: Generation(Pair.inputs).queues)
    var closed = next
    closed.queues = closed.queues.map { _ in Generation.Queue(rate: Rate(bitsPerSecond: 0)) }
    let last = Pair.segment.blocks.count
    let nonsense: [[Message]] = [
      [.revise(Generation(number: 2, queues: next.queues), segmentCount: 0, isAsked: false)],
      [.revise(Generation(number: 1, queues: []), segmentCount: 0, isAsked: false)],
      [.revise(closed, segmentCount: 0, isAsked: false)],
      [.revise(next, segmentCount: 2, isAsked: false)],
      [
        .revise(next, segmentCount: 1, isAsked: false),
        .revise(next, segmentCount: 1, isAsked: false),
      ],
      [.remaining(segment: 0, blocks: [0..<1])],
      [.revise(next, segmentCount: 1, isAsked: false), .remaining(segment: 1, blocks: [0..<1])],
      [.revise(next, segmentCount: 1, isAsked: false), .remaining(segment: 0, blocks: [])],
      [
        .revise(next, segmentCount: 1, isAsked: false),
        .remaining(segment: 0, blocks: [last..<last + 1]),
      ],
      [
        .revise(next, segmentCount: 1, isAsked: false), .remaining(segment: 0, blocks: [4..<5]),
        .remaining(segment: 0, blocks: [4..<5]),
      ],
      [
        .revise(next, segmentCount: 1, isAsked: false),
        .plan(segment: 0, generation: 1, digest: .zero),
      ],
      [
        .revise(next, segmentCount: 1, isAsked: false), .remaining(segment: 0, blocks: [4..<5]),
        .plan(segment: 0, generation: 0, digest: .zero),
      ],
    ]
    for messages in nonsense {
      var pair = Pair()
      for message in messages { pair.receiver.hear(message) }
      #expect(pair.receiver.violation != nil, "\(messages)")
    }
  }

  @Test("what is said to be left of a segment that is done by then is no trap")
  func survivesASegmentThatIsDone() {
    let next = Generation(number: 1, queues: Generation(Pair.inputs).queues)
    var pair = Pair()
    for index in Pair.segment.blocks.indices {
      pair.receiver.take(index, of: Pair.segment, over: Pair.connections[0])
    }
    pair.receiver.hear(.revise(next, segmentCount: 1, isAsked: false))
    pair.receiver.hear(.remaining(segment: 0, blocks: [0..<1]))
    pair.receiver.tell(.committed(epoch: 1, []))
    #expect(pair.receiver.sent.contains(.committed(segment: 0)))
    pair.receiver.hear(.plan(segment: 0, generation: 1, digest: .zero))
    #expect(pair.receiver.violation != nil)
  }

  @Test("another plan in a later generation is a disagreement too")
  func comparesLaterPlans() {
    var pair = Pair()
    let next = Generation(number: 1, queues: Generation(Pair.inputs).queues)
    pair.receiver.hear(.revise(next, segmentCount: 1, isAsked: false))
    pair.receiver.hear(.remaining(segment: 0, blocks: [40..<50]))
    pair.receiver.hear(.plan(segment: 0, generation: 1, digest: .zero))
    guard case .failed(let failure) = pair.receiver.outcomes.first else {
      Issue.record("the session goes on")
      return
    }
    #expect(failure.kind == .integrity)
  }
}
