import DTXCore
import DTXEngine
import DTXLinux
import Testing

extension EndToEndTests {
  /// A far end that offers what nobody asked for: the test plays it.
  @Suite struct HostileTests {
    private static let directory = Entry(
      kind: .directory,
      parent: nil,
      mode: 0o755,
      userID: 0,
      groupID: 0,
      modified: 0,
      byteCount: 0
    )

    private static func file(in parent: Int?) -> Entry {
      var file = directory
      file.kind = .regular
      file.parent = parent
      return file
    }

    @Test(arguments: [
      DatasetShape(isContents: false, names: [bytes("evil")], isSingleFile: true),
      DatasetShape(isContents: true, names: [], isSingleFile: false),
      DatasetShape(isContents: false, names: [bytes("evil"), bytes("good")], isSingleFile: false),
    ])
    func namesThatNobodyAskedForAreRefusedAtTheDoor(_ shape: DatasetShape) throws {
      let place = try Workplace()
      let far = try FakeFarEnd(pulling: "/x/good", to: place("to"), in: place)
      _ = try far.offer(shape)
      let step = Result { try far.channel.receiveStep() }
      guard case .failure = step else {
        Issue.record("it went on")
        return
      }
      let ending = try far.hangUp()
      #expect(ending.status == 5)
      expectOneMessage(ending, "nobody asked for")
      #expect(!place.exists("to"))
    }

    @Test(arguments: [
      bytes(".."), bytes("."), bytes("../outside"), bytes("/etc/x"), bytes("a/b"), [0x61, 0],
    ])
    func aNameThatIsNoneEndsTheTransfer(_ name: [UInt8]) throws {
      let place = try Workplace()
      let far = try Self.settled(place)
      var inventory = Inventory()
      _ = inventory.append(Self.directory, name: [], attributes: [])
      _ = inventory.append(Self.file(in: 0), name: name, attributes: [])
      far.send(inventory)
      let stop = try far.message { if case .stop = $0 { true } else { false } }
      guard case .stop(.protocolViolation, _)? = stop else {
        Issue.record("it went on: \(String(describing: stop))")
        return
      }
      let ending = try far.hangUp()
      #expect(ending.status == 1)
      #expect(ending.errors.count == 1, "\(ending.messages)")
      #expect(try Tool.shell("ls '\(place.path)' | grep -c outside || true") == "0\n")
    }

    @Test func theStateDirectoryIsNoPlaceForEntries() throws {
      let place = try Workplace()
      let far = try Self.settled(place)
      var inventory = Inventory()
      _ = inventory.append(Self.directory, name: [], attributes: [])
      var state = Self.directory
      state.parent = 0
      _ = inventory.append(state, name: bytes(".dtx"), attributes: [])
      _ = inventory.append(Self.file(in: 1), name: bytes("planted"), attributes: [])
      far.send(inventory)
      let refusal = try far.message { if case .refused = $0 { true } else { false } }
      guard case .refused(let failed)? = refusal else {
        Issue.record("it was taken")
        return
      }
      #expect(failed.entry == 1)
      #expect(failed.failure == .conflict)
      let ending = try far.hangUp()
      #expect(ending.status == 1, "the far end hung up: \(ending.messages)")
      #expect(!place.exists("to/.dtx/planted"))
    }

    @Test func aMessageOutOfTurnEndsTheTransfer() throws {
      let place = try Workplace()
      let far = try Self.settled(place)
      far.channel.send(.durable(epoch: 1, blocks: []))
      let ending = try far.hangUp()
      #expect(ending.status == 1)
      #expect(ending.errors.count == 1, "\(ending.messages)")
    }

    @Test(arguments: [bytes("\u{2}garbage"), [255, 255, 255, 255, 255], [2, 255, 255, 255]])
    func garbageEndsTheTransfer(_ garbage: [UInt8]) throws {
      let place = try Workplace()
      let far = try Self.settled(place)
      let fifo = try File.open(bytes(place("to-near")), .readWrite)
      try Host.writeAll(garbage, to: fifo.raw)
      try fifo.close()
      let ending = try far.hangUp()
      #expect(ending.status == 1)
      #expect(ending.errors.count == 1, "\(ending.messages)")
    }

    /// A far end that has come as far as to its inventory.
    private static func settled(_ place: Workplace) throws -> FakeFarEnd {
      let far = try FakeFarEnd(pulling: "/x/", to: place("to"), in: place)
      _ = try far.offer(DatasetShape(isContents: true, names: [], isSingleFile: false))
      _ = try HandshakeCodec.destinationReply(try far.channel.receiveStep())
      let settlement = try HandshakeCodec.settlement(try far.channel.receiveStep())
      #expect(settlement.usesControlChannel)
      return far
    }
  }
}
