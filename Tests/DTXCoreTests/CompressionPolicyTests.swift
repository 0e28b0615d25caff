import DTXCore
import Testing

@Suite struct CompressionTests {
  @Test func theRequestsByteIsAModeOrALevel() {
    for byte in UInt8.min...UInt8.max {
      let isDefined = byte <= 19 || byte == 255
      #expect(Compression(rawValue: byte)?.rawValue == (isDefined ? byte : nil))
    }
  }

  @Test func whatIsPrintedIsWhatIsRead() {
    let modes: [Compression] = [.off, .auto] + Compression.levels.map { .level($0) }
    for mode in modes {
      #expect(Compression(name: mode.name) == mode)
      #expect(mode.blockLevel == nil ? mode == .off : Compression.levels ~= mode.blockLevel ?? 0)
    }
    for name in ["", "20", "0", "-1", "+1", "1.5", "ON", "auto "] {
      #expect(Compression(name: name) == nil, "\(name)")
    }
  }
}

@Suite struct CompressionPolicyTests {
  private static let megabyte: UInt64 = 1_000_000

  /// A connection on which everything takes exactly what it takes.
  private struct World: CustomStringConvertible {
    var path: CompressionPolicy.Path
    /// Bytes per second that the path really takes.
    var rate: UInt64
    /// Bytes per second that the thread reads, digests and seals.
    var thread: UInt64
    /// Bytes per second that a whole processor compresses.
    var speed: UInt64
    /// What is left of a thousand bytes.
    var left: UInt64
    var processorCount = 2
    var connectionCount = 2
    /// Processors that others leave; nobody tells the policy.
    var hiddenShare: UInt64 = 1000

    static let blockByteCount: UInt64 = 16 << 20

    var description: String {
      "\(path), takes \(rate), thread \(thread), zstd \(speed), \(left) of 1000 left, "
        + "\(connectionCount) on \(processorCount), \(hiddenShare) of 1000 free"
    }

    func time(_ byteCount: UInt64, _ rate: UInt64) -> UInt64 {
      UInt64(UInt128(byteCount) * 1_000_000_000 / UInt128(rate))
    }

    var compressedByteCount: UInt64 { Self.blockByteCount * left / 1000 }

    /// What compressing a block takes the thread.
    var work: UInt64 {
      let sharing = UInt64(max(connectionCount, processorCount))
      let time = time(Self.blockByteCount, speed) * sharing / UInt64(processorCount)
      return time * 1000 / hiddenShare
    }

    var plainTime: UInt64 {
      max(time(Self.blockByteCount, thread), time(Self.blockByteCount, rate))
    }

    var compressedTime: UInt64 {
      max(time(Self.blockByteCount, thread) + work, time(compressedByteCount, rate))
    }

    func sample(_ byteCount: UInt64 = 65_536) -> CompressionPolicy.Sample {
      CompressionPolicy.Sample(
        byteCount: byteCount,
        compressedByteCount: byteCount * left / 1000,
        nanoseconds: time(byteCount, speed)
      )
    }

    /// Sends blocks as the policy wants them.
    func send(
      _ count: Int,
      _ policy: inout CompressionPolicy
    ) -> (nanoseconds: UInt64, compressedCount: Int, sampleCount: Int) {
      var sum: (nanoseconds: UInt64, compressedCount: Int, sampleCount: Int) = (0, 0, 0)
      for _ in 0..<count {
        var choice = policy.next()
        if choice == .sample {
          sum.sampleCount += 1
          sum.nanoseconds += sample().nanoseconds
          choice = policy.takes(sample()) ? .compress : .plain
        }
        let isCompressed = choice == .compress
        let busy = time(Self.blockByteCount, thread) + (isCompressed ? work : 0)
        let nanoseconds = isCompressed ? compressedTime : plainTime
        policy.sent(
          CompressionPolicy.Passage(
            byteCount: Self.blockByteCount,
            sentByteCount: isCompressed ? compressedByteCount : Self.blockByteCount,
            nanoseconds: nanoseconds,
            sendNanoseconds: nanoseconds - busy
          )
        )
        sum.nanoseconds += nanoseconds
        sum.compressedCount += isCompressed ? 1 : 0
      }
      return sum
    }

    func policy(_ compression: Compression) -> CompressionPolicy {
      CompressionPolicy(
        compression,
        path: path,
        connectionCount: connectionCount,
        processorCount: processorCount
      )
    }
  }

  private static let rates: [UInt64] = [1, 12, 60, 120, 300, 600, 1250, 3000].map { $0 * megabyte }
  private static let speeds: [UInt64] = [60, 150, 360, 600, 2000].map { $0 * megabyte }
  private static let threads: [UInt64] = [100, 800, 2000].map { $0 * megabyte }

  private static func worlds(_ body: (World) -> Void) {
    for rate in rates {
      for speed in speeds {
        for thread in threads {
          for left: UInt64 in [1, 300, 650, 800, 960, 1000] {
            for connectionCount in [1, 2, 8] {
              for path in [CompressionPolicy.Path.paced(rate), .network] {
                body(
                  World(
                    path: path,
                    rate: rate,
                    thread: thread,
                    speed: speed,
                    left: left,
                    connectionCount: connectionCount
                  )
                )
              }
            }
          }
        }
      }
    }
  }

  @Test func itIsNearlyAsFastAsTheBetterOfTheTwo() {
    var count = 0
    Self.worlds { world in
      count += 1
      var policy = world.policy(.auto)
      let blockCount: UInt64 = 256
      let (nanoseconds, _, _) = world.send(Int(blockCount), &policy)
      let plain = world.plainTime * blockCount
      let best = min(plain, world.compressedTime * blockCount)
      // A sample now and then is all that it may cost where it does not pay.
      #expect(nanoseconds <= plain + plain / 100, "\(world)")
      // What is worth less than 5 % is left alone, and an unstated path is seen a block in 33.
      let isSeen = world.path == .network
      let allowed = isSeen ? best + plain / 32 + best * 6 / 100 : best + best * 6 / 100
      let isUnseen = isSeen && world.plainTime <= 2 * world.time(World.blockByteCount, world.thread)
      #expect(nanoseconds <= (isUnseen ? plain + plain / 100 : allowed), "\(world)")
    }
    #expect(count == 8 * 5 * 3 * 6 * 3 * 2)
  }

  @Test func nothingIsTriedOnALoopbackWithoutARate() {
    Self.worlds { world in
      var world = world
      world.path = .local
      var policy = world.policy(.auto)
      #expect(!policy.observes)
      let (_, compressedCount, sampleCount) = world.send(64, &policy)
      #expect(compressedCount == 0 && sampleCount == 0, "\(world)")
    }
  }

  @Test func nothingIsTriedWhereThePathIsFast() {
    for path in [CompressionPolicy.Path.paced(5000 * Self.megabyte), .network] {
      let world = World(
        path: path,
        rate: 5000 * Self.megabyte,
        thread: 2000 * Self.megabyte,
        speed: 400 * Self.megabyte,
        left: 500
      )
      var policy = world.policy(.auto)
      let (_, compressedCount, sampleCount) = world.send(256, &policy)
      #expect(compressedCount == 0 && sampleCount == 0, "\(path)")
    }
  }

  @Test func telescopeNoiseIsCompressedAtAGigabitAndNotAtTen() {
    for (rate, compressedCount) in [(UInt64(120), 64), (1200, 0)] {
      let world = World(
        path: .paced(rate * Self.megabyte),
        rate: rate * Self.megabyte,
        thread: 2000 * Self.megabyte,
        speed: 360 * Self.megabyte,
        left: 650,
        connectionCount: 1
      )
      var policy = world.policy(.auto)
      #expect(world.send(64, &policy).compressedCount == compressedCount)
    }
  }

  @Test func dataThatDoesNotShrinkIsTriedLessAndLess() {
    var world = World(
      path: .paced(100 * Self.megabyte),
      rate: 100 * Self.megabyte,
      thread: 2000 * Self.megabyte,
      speed: 800 * Self.megabyte,
      left: 1000
    )
    var policy = world.policy(.auto)
    #expect(world.send(31, &policy).sampleCount == 5)
    #expect(world.send(17 * 10, &policy).sampleCount == 10)
    // What comes then and does shrink is found within as many blocks.
    world.left = 500
    #expect(world.send(17, &policy).compressedCount > 0)
    #expect(world.send(8, &policy).compressedCount == 8)
  }

  @Test func processorsThatOthersUseAreNoticed() {
    let world = World(
      path: .paced(100 * Self.megabyte),
      rate: 100 * Self.megabyte,
      thread: 2000 * Self.megabyte,
      speed: 400 * Self.megabyte,
      left: 650,
      hiddenShare: 100
    )
    var policy = world.policy(.auto)
    let (_, compressedCount, _) = world.send(256, &policy)
    #expect(compressedCount > 0)
    #expect(compressedCount < 40)
  }

  @Test func aReceiverThatHoldsSendingBackIsNoSlowPath() {
    var policy = CompressionPolicy(
      .auto,
      path: .network,
      connectionCount: 1,
      processorCount: 1
    )
    for _ in 0..<8 {
      #expect(policy.next() == .plain)
      policy.sent(
        CompressionPolicy.Passage(
          byteCount: 1 << 24,
          sentByteCount: 1 << 24,
          nanoseconds: 1_000_000_000,
          sendNanoseconds: 990_000_000,
          heldBackNanoseconds: 900_000_000
        )
      )
    }
  }

  @Test func aPathThatBecomesFastIsSeen() {
    var world = World(
      path: .network,
      rate: 50 * Self.megabyte,
      thread: 2000 * Self.megabyte,
      speed: 400 * Self.megabyte,
      left: 650
    )
    var policy = world.policy(.auto)
    #expect(world.send(33, &policy).compressedCount == 32)
    world.rate = 5000 * Self.megabyte
    _ = world.send(34, &policy)
    #expect(world.send(64, &policy).compressedCount == 0)
  }

  @Test func aModeOrALevelIsObeyed() {
    let world = World(path: .paced(1), rate: 1, thread: 1, speed: 1, left: 1)
    var off = world.policy(.off)
    var forced = world.policy(.level(3))
    for _ in 0..<40 {
      #expect(off.next() == .plain)
      #expect(forced.next() == .compress)
    }
    #expect(!off.observes && !forced.observes)
  }

  @Test func numbersAtTheEdgesDoNoHarm() {
    let edges: [UInt64] = [0, 1, .max - 1, .max]
    for rate in [1, UInt64.max - 1] {
      for byteCount in edges {
        for nanoseconds in edges {
          var policy = CompressionPolicy(
            .auto,
            path: .paced(rate),
            connectionCount: 1 << 14,
            processorCount: 1
          )
          for held in edges + edges {
            if policy.next() == .sample {
              _ = policy.takes(
                CompressionPolicy.Sample(
                  byteCount: max(1, byteCount),
                  compressedByteCount: held,
                  nanoseconds: nanoseconds
                )
              )
            }
            policy.sent(
              CompressionPolicy.Passage(
                byteCount: byteCount,
                sentByteCount: byteCount,
                nanoseconds: nanoseconds,
                sendNanoseconds: nanoseconds,
                heldBackNanoseconds: held
              )
            )
          }
        }
      }
    }
  }
}
