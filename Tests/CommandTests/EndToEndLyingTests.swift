import DTXCore
import DTXEngine
import DTXLinux
import Glibc
import Testing

extension EndToEndTests {
  /// A sender that speaks the protocol and lies, against the real server.
  ///
  /// None of it is a trap, takes memory without a bound, or writes outside the root.
  @Suite struct LyingTests {
    private static let memory: UInt64 = 256 << 20

    private static func entry(
      _ kind: EntryKind,
      in parent: Int?,
      _ byteCount: UInt64 = 0
    ) -> Entry {
      Entry(kind: kind, parent: parent, mode: 0o755, modified: 0, byteCount: byteCount)
    }

    /// A directory with one file of three blocks.
    private static func honest() -> Inventory {
      var inventory = Inventory()
      inventory.append(entry(.directory, in: nil), name: [])
      inventory.append(entry(.regular, in: 0, 160 << 10), name: bytes("file"))
      return inventory
    }

    private func settled(_ place: Workplace) throws -> HostileInitiator {
      let far = try HostileInitiator(in: place)
      try far.settle(at: place("to"))
      return far
    }

    /// Ends the session as a lie must.
    private func expectStop(
      _ far: HostileInitiator,
      _ text: String,
      _ place: Workplace,
      at location: SourceLocation = #_sourceLocation
    ) throws {
      _ = try far.message { if case .stop = $0 { true } else { false } }
      let said = far.stopText ?? ""
      #expect(said.contains(text), "it said: \(said)", sourceLocation: location)
      let ending = try far.finish()
      #expect(ending.status == 1, "\(ending)", sourceLocation: location)
      #expect(far.peakByteCount < Self.memory, sourceLocation: location)
      #expect(!place.exists("outside"), sourceLocation: location)
    }

    @Test(arguments: [
      Message.inventory(segment: 1, page: []), .inventoryEnd(segment: 7, isLast: true),
      .plan(segment: 0, generation: 0, digest: .zero), .demand(segment: 0, entries: [1]),
      .remaining(segment: 0, blocks: [0..<9]),
      .revise(Generation(number: 9, queues: []), segmentCount: 0, isAsked: false),
      .sealed(Roots(content: .zero, full: .zero)), .receipt([1]), .finished(EndTotals()),
      .received(BlockReference(segment: 0, block: 0)), .committed(segment: 0),
      .inventory(segment: 0, page: [255, 255]),
    ])
    func aMessageOutOfTurnIsNamed(_ message: Message) throws {
      let place = try Workplace()
      let far = try settled(place)
      far.channel.send(message)
      try expectStop(far, "the sender sent ", place)
    }

    @Test func anotherPlanIsADisagreement() throws {
      let place = try Workplace()
      let far = try settled(place)
      far.announce(Self.honest(), isLast: true)
      _ = try far.message { if case .comparisonEnd = $0 { true } else { false } }
      far.channel.send(.plan(segment: 0, generation: 0, digest: .zero))
      try expectStop(far, "different plans", place)
    }

    @Test func lengthsThatNoSumHoldsAreRefused() throws {
      let place = try Workplace()
      let far = try settled(place)
      for segment in 0..<2 {
        var inventory = Inventory()
        if segment == 0 {
          inventory.append(Self.entry(.directory, in: nil), name: [])
        } else {
          var root = Self.entry(.directory, in: nil)
          root.isContext = true
          inventory.append(root, name: [])
        }
        for file in 0..<2 {
          let name = bytes("\(segment)\(file)")
          let entry = Self.entry(.regular, in: 0, UInt64(Int64.max))
          inventory.append(entry, name: name, attributes: [.dataRanges([])])
        }
        far.announce(inventory, segment: segment, isLast: false)
      }
      try expectStop(far, "files of more than", place)
    }

    @Test func anEntryBelowASymlinkOfAnEarlierSegmentStaysInside() throws {
      let place = try Workplace()
      try place.makeDirectory("outside-root")
      let far = try settled(place)
      var first = Inventory()
      first.append(Self.entry(.directory, in: nil), name: [])
      let target = bytes(place("outside-root"))
      first.append(Self.entry(.symlink, in: 0), name: bytes("a"), attributes: [.linkTarget(target)])
      far.announce(first, segment: 0, isLast: false)
      var second = Inventory()
      for (name, parent) in [([], nil), (bytes("a"), 0)] as [([UInt8], Int?)] {
        var context = Self.entry(.directory, in: parent)
        context.isContext = true
        second.append(context, name: name)
      }
      second.append(Self.entry(.directory, in: 1), name: bytes("planted"))
      far.announce(second, segment: 1, isLast: true)
      var comparisons = 0
      _ = try far.message { message in
        if case .comparisonEnd = message { comparisons += 1 }
        return comparisons == 2
      }
      // Agreed plans of nothing let it go on to make links and directories.
      let inputs = PlanInputs(lanes: [Lane(contract: .bestEffort, rate: nil, connectionCount: 1)])
      for (number, inventory) in [first, second].enumerated() {
        let segment = Segment(
          index: number,
          isLast: number == 1,
          inventory: inventory,
          blockByteCount: Limits.minimumBlockByteCount
        )
        let plan = Scheduler.plan(
          segment,
          wanted: BitSet(count: 0),
          inputs: inputs,
          generation: Generation(inputs)
        )
        far.channel.send(.plan(segment: number, generation: 0, digest: plan.digest(with: inputs)))
      }
      _ = try far.message { if case .sealed = $0 { true } else { false } }
      let ending = try far.finish()
      #expect(ending.status == 1, "\(ending)")
      #expect(try Tool.shell("ls -A '\(place("outside-root"))'") == "")
      #expect(far.peakByteCount < Self.memory)
    }

    @Test func manyTinyMessagesTakeNoMemory() throws {
      let place = try Workplace()
      let far = try settled(place)
      // Each is answered; nobody reads the answers.
      for number in 0..<20_000 {
        far.channel.send(.fence(ConnectionID(lane: 0, number: UInt32(number))))
        far.channel.send(.omitted(path: bytes("x"), failure: .unreadable, reason: ""))
        if number % 1000 == 0 { far.look() }
      }
      far.look()
      let ending = try far.finish()
      #expect(ending.status == 1, "\(ending.status)")
      #expect(far.peakByteCount < Self.memory, "\(far.peakByteCount)")
    }

    /// What a connection brings that is not what was planned.
    enum Frames: CaseIterable {
      case dataOutsideABlock, trailerOutsideABlock, blockWithinABlock, blockThatIsNotWanted
      case tooMuchData, tooLittleData, otherOutcomes, garbageHeader, bomb, hugeWindow, endWithin
    }

    @Test(arguments: Frames.allCases)
    func aConnectionThatLiesIsLostAndTheSessionGoesOn(_ frames: Frames) throws {
      let place = try Workplace()
      let far = try settled(place)
      try far.open(Self.honest())
      let lane = try far.lane()
      try Self.lie(frames, over: lane)
      let lost = try far.message { if case .fenced = $0 { true } else { false } }
      #expect(lost == .fenced(ConnectionID(lane: 0, number: 1)), "\(far.stopText ?? "no stop")")
      // Another connection does the work.
      let honest = try far.lane(2)
      try Self.send(0, 64 << 10, over: honest)
      let received = try far.message { if case .received = $0 { true } else { false } }
      #expect(received == .received(BlockReference(segment: 0, block: 0)))
      let ending = try far.finish()
      #expect(ending.status == 1, "\(ending)")
      #expect(far.peakByteCount < Self.memory, "\(far.peakByteCount)")
    }

    @Test func aBlockWithAnotherDigestIsDamaged() throws {
      let place = try Workplace()
      let far = try settled(place)
      try far.open(Self.honest())
      let lane = try far.lane()
      let block = BlockReference(segment: 0, block: 1)
      try lane.send(.blockHeader, BlockFrame.encodeHeader(block))
      try lane.send(.data, [UInt8](repeating: 1, count: 64 << 10))
      try lane.send(.trailer, BlockFrame.encodeTrailer([.intact(.zero)]))
      let answer = try far.message { message in
        switch message {
        case .damaged, .received: true
        default: false
        }
      }
      #expect(answer == .damaged(block))
      #expect(try far.finish().status == 1)
    }

    @Test func strangersAtTheLanesPortChangeNothing() throws {
      let place = try Workplace()
      let far = try settled(place)
      try far.open(Self.honest())
      let address = try #require(SocketAddress(numericHost: "127.0.0.1", port: far.port))
      var strangers: [Socket] = []
      for number in 0..<300 {
        // One that finds no place has been turned away as it should be.
        guard let one = try? Socket.connect(to: address, timeoutNanoseconds: Duration.second)
        else { continue }
        switch number % 3 {
        case 0: try? one.sendAll(bytes("GET / HTTP/1.0\r\n\r\n"))
        case 1: try? one.sendAll(Array((bytes("DTXLANE1") + [UInt8](repeating: 7, count: 40))))
        default: break
        }
        strangers.append(one)
      }
      let lane = try far.lane()
      for (block, byteCount) in [64 << 10, 64 << 10, 32 << 10].enumerated() {
        try Self.send(block, byteCount, over: lane)
      }
      let committed = try far.message { if case .committed = $0 { true } else { false } }
      #expect(committed == .committed(segment: 0), "\(far.stopText ?? "no stop")")
      #expect(far.peakByteCount < Self.memory)
      for stranger in strangers { stranger.shutdown() }
      _ = try far.finish()
      #expect(try place.read("to/file").count == 160 << 10)
    }

    // MARK: - Frames

    private static func send(_ number: Int, _ byteCount: Int, over lane: OpenedLane) throws {
      let content = [UInt8](repeating: 3, count: byteCount)
      let block = BlockReference(segment: 0, block: number)
      try lane.send(.blockHeader, BlockFrame.encodeHeader(block))
      try lane.send(.data, content)
      let digest = Digest.xxh3(of: content)
      try lane.send(.trailer, BlockFrame.encodeTrailer([.intact(digest)]))
    }

    private static func lie(_ frames: Frames, over lane: OpenedLane) throws {
      let header = BlockFrame.encodeHeader(BlockReference(segment: 0, block: 0))
      let trailer = BlockFrame.encodeTrailer([.intact(.zero)])
      let data = [UInt8](repeating: 0, count: 64 << 10)
      switch frames {
      case .dataOutsideABlock:
        try lane.send(.data, data)
      case .trailerOutsideABlock:
        try lane.send(.trailer, trailer)
      case .blockWithinABlock:
        try lane.send(.blockHeader, header)
        try lane.send(.blockHeader, header)
      case .blockThatIsNotWanted:
        let block = BlockReference(segment: 0, block: Limits.segmentExtentCount)
        try lane.send(.blockHeader, BlockFrame.encodeHeader(block))
      case .tooMuchData:
        try lane.send(.blockHeader, header)
        for _ in 0..<2 { try lane.send(.data, data) }
      case .tooLittleData:
        try lane.send(.blockHeader, header)
        try lane.send(.data, [1])
        try lane.send(.trailer, trailer)
      case .otherOutcomes:
        try lane.send(.blockHeader, header)
        try lane.send(.data, data)
        try lane.send(.trailer, BlockFrame.encodeTrailer([.intact(.zero), .intact(.zero)]))
      case .garbageHeader:
        try lane.send(.blockHeader, [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255])
      case .bomb:
        // Says 1 KiB; its frame stands for 1 MiB of zeros.
        try lane.send(.blockHeader, header)
        try lane.send(.compressedData, [0, 4, 0, 0] + bombFrame(1 << 20))
      case .hugeWindow:
        try lane.send(.blockHeader, header)
        // A window of 2^41 bytes, and one empty last block.
        try lane.send(.compressedData, [0, 4, 0, 0, 0x28, 0xB5, 0x2F, 0xFD, 0, 0xF8, 1, 0, 0])
      case .endWithin:
        try lane.send(.blockHeader, header)
        try lane.send(.end, [])
      }
      // Within a block a record is looked at once the header of the next one is there. A connection
      // that was given up already takes nothing more.
      try? lane.send(.keepAlive, [])
    }

    /// One frame of Zstandard's with blocks that repeat a zero: 128 KiB for every four bytes.
    private static func bombFrame(_ byteCount: Int) -> [UInt8] {
      // Single segment, with the content's length in four bytes.
      var frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xA0]
      for shift in 0..<4 { frame.append(UInt8(truncatingIfNeeded: byteCount >> (8 * shift))) }
      let blockByteCount = 128 << 10
      let count = byteCount / blockByteCount
      for index in 0..<count {
        let head = (index == count - 1 ? 1 : 0) | 1 << 1 | blockByteCount << 3
        for shift in 0..<3 { frame.append(UInt8(truncatingIfNeeded: head >> (8 * shift))) }
        frame.append(0)
      }
      return frame
    }
  }
}
