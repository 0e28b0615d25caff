import DTXCore
import DTXEngine
import DTXLinux
import Testing

extension EndToEndTests {
  /// A sender that repeats itself, or falls silent, against the real server.
  @Suite struct LyingLaneTests {
    private func settled(_ place: Workplace) throws -> HostileInitiator {
      let far = try HostileInitiator(in: place)
      try far.settle(at: place("to"))
      return far
    }

    /// Reads on to the segment's end.
    ///
    /// - Returns: the blocks that the receiver says it has received.
    private func received(_ far: HostileInitiator) throws -> [Int] {
      var received: [Int] = []
      let end = try far.message { message in
        if case .received(let block) = message { received.append(block.block) }
        return message == .committed(segment: 0)
      }
      #expect(end != nil, "\(far.stopText ?? "no stop")")
      return received
    }

    private func expectContent(_ content: UInt8, at place: Workplace) throws {
      let file = try place.read("to/file")
      #expect(file.count == 160 << 10)
      #expect(file.allSatisfy { $0 == content })
    }

    @Test(arguments: [UInt8(3), 4])
    func aBlockThatComesTwiceCountsOnce(_ other: UInt8) throws {
      let place = try Workplace()
      let far = try settled(place)
      try far.open(ThreeBlocks.inventory())
      let lane = try far.lane()
      try ThreeBlocks.send(0, of: 3, over: lane)
      // The same again, or what it is not; neither is written.
      for _ in 0..<3 { try ThreeBlocks.send(0, of: other, over: lane) }
      try ThreeBlocks.send(1, of: 3, over: lane)
      try ThreeBlocks.send(2, of: 3, over: lane)
      #expect(try received(far) == [0, 1, 2])
      _ = try far.finish()
      try expectContent(3, at: place)
    }

    @Test func aConnectionThatFallsSilentWithinABlockIsGivenUp() throws {
      let place = try Workplace()
      let far = try settled(place)
      try far.open(ThreeBlocks.inventory())
      let silent = try far.lane()
      let first = BlockReference(segment: 0, block: 0)
      try silent.send(.blockHeader, BlockFrame.encodeHeader(first))
      try silent.send(.data, [UInt8](repeating: 9, count: 1000))
      far.channel.send(.fence(ConnectionID(lane: 0, number: 1)))
      let end = try far.message { if case .fenced = $0 { true } else { false } }
      #expect(end == .fenced(ConnectionID(lane: 0, number: 1)))
      let lane = try far.lane(2)
      for block in 0..<3 { try ThreeBlocks.send(block, of: 3, over: lane) }
      #expect(try received(far) == [0, 1, 2])
      _ = try far.finish()
      try expectContent(3, at: place)
    }

    @Test func aProvenConnectionThatSaysNothingHoldsNobody() throws {
      let place = try Workplace()
      let far = try settled(place)
      try far.open(ThreeBlocks.inventory())
      let silent = try far.lane()
      let lane = try far.lane(2)
      for block in 0..<3 { try ThreeBlocks.send(block, of: 3, over: lane) }
      #expect(try received(far) == [0, 1, 2])
      _ = try far.finish()
      try expectContent(3, at: place)
      silent.socket.shutdown()
    }

    @Test(.timeLimit(.minutes(1)))
    func aConnectionThatIsNeverEndedHoldsNoReceiverThatIsDone() throws {
      let place = try Workplace()
      let far = try settled(place)
      try far.open(ThreeBlocks.inventory())
      let lane = try far.lane()
      for block in 0..<3 { try ThreeBlocks.send(block, of: 3, over: lane) }
      #expect(try received(far) == [0, 1, 2])
      try far.seal()
      far.channel.send(.finished(EndTotals()))
      // Its end: the destination is free.
      #expect(try far.message { _ in false } == nil)
      #expect(try far.finish().status == 0)
      try expectContent(3, at: place)
      lane.socket.shutdown()
    }

    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func aReceiverThatIsDoneEndsWithItsSender(_ usesControlChannel: Bool) throws {
      let place = try Workplace()
      let far = try HostileInitiator(in: place)
      try far.settle(at: place("to"), usesControlChannel: usesControlChannel)
      // No block is needed for a lane to be open.
      try far.open(ThreeBlocks.directory())
      let lane = usesControlChannel ? nil : try far.lane()
      try far.seal()
      #expect(try far.finish().status == 0)
      lane?.socket.shutdown()
    }

    @Test func aLaneHasNoMoreConnectionsThanItsPlanAndAFewSpare() throws {
      let place = try Workplace()
      let far = try settled(place)
      try far.open(ThreeBlocks.inventory())
      let lane = try far.lane()
      try ThreeBlocks.send(0, of: 3, over: lane)
      _ = try far.message { if case .received = $0 { true } else { false } }
      let others = try (2...200).map { try far.lane($0) }
      try waitUntil("the end of those beyond") {
        let ended = try others.count { try $0.socket.waitReadable(before: Clock.now()) }
        return ended == others.count - Limits.spareConnectionCount
      }
      for block in 1...2 { try ThreeBlocks.send(block, of: 3, over: lane) }
      #expect(try received(far) == [1, 2])
      _ = try far.finish()
      try expectContent(3, at: place)
    }

    @Test func aConnectionNumberServesOnce() throws {
      let place = try Workplace()
      let far = try settled(place)
      try far.open(ThreeBlocks.inventory())
      let lane = try far.lane(2)
      for number in [UInt32(1), 2] {
        #expect(throws: (any Error).self, "number \(number)") { try far.lane(number) }
      }
      for block in 0..<3 { try ThreeBlocks.send(block, of: 3, over: lane) }
      #expect(try received(far) == [0, 1, 2])
      _ = try far.finish()
      try expectContent(3, at: place)
    }

    // MARK: - Messages

    private func expectStop(_ far: HostileInitiator, _ text: String) throws {
      _ = try far.message { if case .stop = $0 { true } else { false } }
      #expect(far.stopText?.contains(text) == true, "it said: \(far.stopText ?? "nothing")")
      #expect(try far.finish().status == 1)
    }

    private static func page(_ inventory: Inventory, _ entries: Range<Int>) -> [UInt8] {
      var page = ByteWriter()
      for index in entries { EntryCodec.encode(index, of: inventory, for: .transfer, into: &page) }
      return page.bytes
    }

    @Test(arguments: [[0, 0], [1, 0], [0, 1, 1], [0, 1, 0]])
    func pagesTwiceOrOutOfOrderAreRefused(_ order: [Int]) throws {
      let place = try Workplace()
      let far = try settled(place)
      for entry in order {
        let page = Self.page(ThreeBlocks.inventory(), entry..<entry + 1)
        far.channel.send(.inventory(segment: 0, page: page))
      }
      try expectStop(far, "the sender sent entries that cannot be taken")
      #expect(!place.exists("to/file"))
    }

    @Test func aSegmentThatEndsTwiceIsRefused() throws {
      let place = try Workplace()
      let far = try settled(place)
      far.announce(ThreeBlocks.inventory(), isLast: true)
      far.channel.send(.inventoryEnd(segment: 0, isLast: true))
      try expectStop(far, "the end of segment 0 out of turn")
    }

    @Test func thePlanOfAnotherGenerationIsRefused() throws {
      let place = try Workplace()
      let far = try settled(place)
      #expect(try !far.propose(ThreeBlocks.inventory(), generation: 7))
      #expect(far.stopText?.contains("a plan of segment 0, which is not being planned") == true)
      #expect(try far.finish().status == 1)
    }

    @Test(arguments: [
      Message.plan(segment: 0, generation: 7, digest: .zero),
      .revise(
        Generation(number: 1, queues: [Generation.Queue(rate: Rate(bitsPerSecond: 0))]),
        segmentCount: 0,
        isAsked: false
      ),
      .revise(
        Generation(number: 2, queues: [Generation.Queue(rate: Rate(bitsPerSecond: 8))]),
        segmentCount: 0,
        isAsked: false
      ),
      .remaining(segment: 0, blocks: [0..<3]),
    ])
    func anotherGenerationIsRefused(_ message: Message) throws {
      let place = try Workplace()
      let far = try settled(place)
      try far.open(ThreeBlocks.inventory())
      far.channel.send(message)
      try expectStop(far, "the sender sent ")
    }
  }
}
