import DTXCore
import DTXEngine
import DTXLinux
import Testing

extension EndToEndTests {
  /// A receiver that speaks the protocol and lies, against a real push.
  @Suite struct LyingReceiverTests {
    /// A push of a small tree, up to where its first segment was announced.
    private func announced(_ place: Workplace) throws -> FakeFarEnd {
      try place.write("from/a", "some content")
      try place.write("from/b", [UInt8](repeating: 1, count: 300_000))
      let far = try FakeFarEnd(pushing: place("from/"), in: place)
      try far.take()
      _ = try HandshakeCodec.settlement(try far.channel.receiveStep())
      let end = try far.message { if case .inventoryEnd = $0 { true } else { false } }
      #expect(end != nil)
      return far
    }

    /// The push ends with one message that names what the receiver did.
    private func expectViolation(
      _ far: FakeFarEnd,
      _ part: String,
      at location: SourceLocation = #_sourceLocation
    ) throws {
      _ = try far.message { if case .stop = $0 { true } else { false } }
      let ending = try far.hangUp()
      #expect(ending.status == 1, "\(ending.messages)", sourceLocation: location)
      expectOneMessage(ending, part, at: location)
    }

    @Test(arguments: [
      Message.received(BlockReference(segment: 0, block: 0)),
      .damaged(BlockReference(segment: 0, block: 0)),
      .durable(epoch: 1, blocks: [BlockReference(segment: 1 << 20, block: 1 << 24)]),
      .comparison(segment: 9, page: []), .comparison(segment: 0, page: [255, 255, 3]),
      .changed(segment: 0, entries: [1 << 20]), .comparisonEnd(segment: 0),
      .refused(FailedEntry(segment: 0, entry: 1 << 20, failure: .unwritable, reason: "")),
      .planned(segment: 0, generation: 0, digest: .zero), .committed(segment: 0),
      .sealed(Roots(content: .zero, full: .zero)), .finished(EndTotals()), .endorsed([1]),
      .adjust(.pause), .inventory(segment: 0, page: []), .inventoryEnd(segment: 0, isLast: true),
    ])
    func aMessageOutOfTurnIsNamed(_ message: Message) throws {
      let place = try Workplace()
      let far = try announced(place)
      far.channel.send(message)
      try expectViolation(far, "the receiver sent ")
    }

    /// Nobody would read them, and the channel would be full of them.
    @Test func bytesOfALaneAreNotAReceivers() throws {
      let place = try Workplace()
      let far = try announced(place)
      #expect(far.channel.send(laneBytes: [1, 2, 3]))
      try expectViolation(far, "the receiver sent bytes of a lane")
    }

    @Test func anotherPlanIsADisagreement() throws {
      let place = try Workplace()
      let far = try announced(place)
      // What there is of one file and of the other, all wanted: a run of two.
      far.channel.send(.comparison(segment: 0, page: [2 << 2]))
      far.channel.send(.comparisonEnd(segment: 0))
      _ = try far.message { if case .plan = $0 { true } else { false } }
      far.channel.send(.planned(segment: 0, generation: 0, digest: .zero))
      _ = try far.message { if case .stop = $0 { true } else { false } }
      let ending = try far.hangUp()
      #expect(ending.status == 3, "\(ending.messages)")
      expectOneMessage(ending, "different plans")
    }

    @Test(arguments: [
      bytes(".."), bytes("a/b"), [0x61, 0], [UInt8](repeating: 0x61, count: 256),
    ])
    func aNameForTheFileThatIsNoneIsRefused(_ name: [UInt8]) throws {
      let place = try Workplace()
      try place.write("file", "content")
      let far = try FakeFarEnd(pushing: place("file"), in: place)
      try far.take(DestinationReply(singleFileName: name))
      // It hears that, and hangs up.
      _ = try? far.channel.receiveStep()
      let ending = try far.hangUp()
      #expect(ending.status == 5, "\(ending.messages)")
      expectOneMessage(ending, "handshake that cannot be read")
    }
  }

  /// Where a session's secret is: in the memory of the two ends, and nowhere else.
  @Suite struct SecretTests {
    @Test func theSecretIsNowhereToBeRead() throws {
      let place = try Workplace()
      let far = try FakeFarEnd(
        pulling: "/x/",
        to: place("to"),
        options: ["--verbose"],
        in: place
      )
      let shape = DatasetShape(isContents: true, names: [], isSingleFile: false)
      let secret = try far.offer(shape).secret
      _ = try HandshakeCodec.destinationReply(try far.channel.receiveStep())
      let processes = try Self.family(of: far.process)
      #expect(processes.count >= 2, "the program and its remote shell: \(processes)")
      for process in processes {
        for name in ["cmdline", "environ"] {
          // One that has ended meanwhile has neither.
          let content = try? Self.content(of: "/proc/\(process)/\(name)")
          #expect(!Self.holds(content ?? [], secret), "/proc/\(process)/\(name)")
        }
      }
      let limits = try Self.content(of: "/proc/\(far.process)/limits")
      let line = String(decoding: limits, as: UTF8.self).split(separator: "\n")
        .first { $0.hasPrefix("Max core file size") }
      let words = try #require(line).split(separator: " ")
      #expect(words.contains("0"), "\(words)")
      let ending = try far.hangUp()
      let said = ending.messages + ending.lines.joined(separator: "\n")
      #expect(!Self.holds(bytes(said), secret))
      // The fifos have no end of their own.
      for file in try Tool.shell("find '\(place.path)' -type f").split(separator: "\n") {
        #expect(!Self.holds(try Self.content(of: String(file)), secret), "\(file)")
      }
    }

    /// Whether bytes hold the secret, as it is or in digits.
    private static func holds(_ content: [UInt8], _ secret: [UInt8]) -> Bool {
      let digits = secret.map { byte in
        let text = String(byte, radix: 16)
        return text.count < 2 ? "0" + text : text
      }
      let text = bytes(digits.joined())
      // Half of it is as telling.
      for needle in [Array(secret.prefix(16)), Array(text.prefix(32))]
      where content.count >= needle.count {
        for start in 0...(content.count - needle.count)
        where content[start] == needle[0]
          && content[start..<start + needle.count].elementsEqual(needle)
        {
          return true
        }
      }
      return false
    }

    private static func content(of path: String) throws -> [UInt8] {
      try File.open(bytes(path), .read).read(byteCount: 1 << 20, at: 0)
    }

    /// A process and all that it started.
    private static func family(of process: Int32) throws -> [Int32] {
      var family = [process]
      var next = 0
      while next < family.count {
        let path = "/proc/\(family[next])/task/\(family[next])/children"
        let children = (try? content(of: path)) ?? []
        family += String(decoding: children, as: UTF8.self).split(separator: " ").compactMap {
          Int32($0)
        }
        next += 1
      }
      return family
    }
  }
}
