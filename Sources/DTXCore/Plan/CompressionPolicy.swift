/// Decides for one connection which of its blocks are compressed.
///
/// The thread that compresses is the one that reads, digests and sends, and the kernel's buffer
/// drains meanwhile. So a block takes whichever is longer: the thread's work, or the path's time
/// for what is sent. Compressing shortens the second and lengthens the first; it pays where the
/// longer of the two becomes shorter.
///
/// What a path takes is its pace, or what plain blocks were seen to be held back to. Where neither
/// says that the path is slow nothing is compressed, and nothing is tried.
package struct CompressionPolicy: Sendable {
  /// What is to be done with a block.
  package enum Choice: Equatable, Sendable {
    /// Send it as it is.
    case plain
    /// Compress a sample of it, and ask `takes(_:)`.
    case sample
    /// Compress it.
    case compress
  }

  /// What lies between the two ends.
  package enum Path: Equatable, Sendable {
    /// A loopback: fewer bytes on it save nobody anything.
    case local
    /// Some network, whose rate shows when it is used.
    case network
    /// The kernel holds the connection to so many bytes per second, payload and records.
    case paced(UInt64)
  }

  /// A part of a block, and what became of it.
  package struct Sample: Equatable, Sendable {
    package var byteCount: UInt64
    package var compressedByteCount: UInt64
    /// Time of the processor that it took.
    package var nanoseconds: UInt64

    package init(byteCount: UInt64, compressedByteCount: UInt64, nanoseconds: UInt64) {
      self.byteCount = byteCount
      self.compressedByteCount = compressedByteCount
      self.nanoseconds = nanoseconds
    }
  }

  /// What sending a block took.
  package struct Passage: Equatable, Sendable {
    package var byteCount: UInt64
    /// What was handed to the kernel for it.
    package var sentByteCount: UInt64
    /// From its beginning to its end.
    package var nanoseconds: UInt64
    /// How much of that the thread was in the kernel to send.
    package var sendNanoseconds: UInt64
    /// How much of it the receiver, not the path, would take no more.
    package var heldBackNanoseconds: UInt64

    package init(
      byteCount: UInt64,
      sentByteCount: UInt64,
      nanoseconds: UInt64,
      sendNanoseconds: UInt64,
      heldBackNanoseconds: UInt64 = 0
    ) {
      self.byteCount = byteCount
      self.sentByteCount = sentByteCount
      self.nanoseconds = nanoseconds
      self.sendNanoseconds = sendNanoseconds
      self.heldBackNanoseconds = heldBackNanoseconds
    }
  }

  private let compression: Compression
  private let pace: UInt64?
  private let isLocal: Bool
  /// Connections of the session for each processor: each has only its part of a processor to
  /// compress with.
  private let connectionCount: UInt64
  private let processorCount: UInt64

  /// Bytes per second that the path takes; nil where nothing says that it is slow.
  private var rate: UInt64?
  /// What reading, digesting and sealing take the thread.
  private var load = Cost()
  /// What compressing takes the processor.
  private var work = Cost()
  /// What compressed blocks have taken since the last one that went plain.
  private var compressed = Cost()
  /// Blocks to let pass before the next is tried, and how many it will be after the next refusal.
  private var waiting = 0
  private var nextWait = 1
  /// Compressed blocks since the path was last seen with a plain one.
  private var compressedRun = 0
  private var latest = Choice.plain

  /// Nothing compresses faster than this, so that a path that takes more is not worth a sample.
  private static let fastest: UInt64 = 2_000_000_000
  /// What must be saved for the trouble, in per cent of the time.
  private static let gain: UInt64 = 5
  /// Blocks between two samples of data that does not compress: 64 KiB of every 256 MiB, at a third
  /// of a GB/s, are a sixth of a per cent of the time of a thread that sends 2 GB/s.
  private static let longestWait = 16
  /// The rate of a path that nobody stated changes; a plain block in so many shows it.
  private static let longestRun = 32
  /// Less does not tell whether compressing has paid: the kernel's buffer takes a few MiB at once.
  private static let judgedByteCount: UInt64 = 32 << 20

  /// Begins a connection.
  ///
  /// - Parameters:
  ///   - compression: what the user chose.
  ///   - path: what lies before the connection.
  ///   - connectionCount: the session's connections, which share the processors; at least 1.
  ///   - processorCount: the processors of this end; at least 1.
  package init(
    _ compression: Compression,
    path: Path,
    connectionCount: Int,
    processorCount: Int
  ) {
    precondition(connectionCount > 0, "\(connectionCount) connections")
    precondition(processorCount > 0, "\(processorCount) processors")
    self.compression = compression
    self.connectionCount = UInt64(max(connectionCount, processorCount))
    self.processorCount = UInt64(processorCount)
    if case .paced(let rate) = path { pace = rate } else { pace = nil }
    isLocal = path == .local
    rate = pace
  }

  /// Whether `sent(_:)` is to be told what each block took.
  package var observes: Bool { compression == .auto && !isLocal }

  /// Decides on the next block.
  ///
  /// - Returns: what to do; for a block that is sampled, `takes(_:)` says the rest.
  package mutating func next() -> Choice {
    switch compression {
    case .off: latest = .plain
    case .level: latest = .compress
    case .auto: latest = automatic()
    }
    return latest
  }

  private mutating func automatic() -> Choice {
    guard let rate, !isLocal else { return .plain }
    let unit: UInt64 = 1 << 20
    let best = max(load.time(of: unit), time(of: unit, at: share(of: CompressionPolicy.fastest)))
    guard pays(best, insteadOf: plainTime(of: unit, at: rate)) else { return .plain }
    if waiting > 0 {
      waiting -= 1
      return .plain
    }
    // A plain one shows whether the path is still as slow as it was.
    if compressedRun >= CompressionPolicy.longestRun, rate != pace { return .plain }
    return .sample
  }

  /// Decides on a block by its sample.
  ///
  /// - Parameter sample: of at least a byte.
  /// - Returns: whether the block is to be compressed.
  package mutating func takes(_ sample: Sample) -> Bool {
    precondition(sample.byteCount > 0, "a sample has some bytes")
    precondition(latest == .sample, "nobody asked for a sample")
    work.add(sample.byteCount, sample.nanoseconds)
    latest = isWorth(sample) ? .compress : .plain
    if latest == .plain { refuse() }
    return latest == .compress
  }

  private func isWorth(_ sample: Sample) -> Bool {
    guard let rate else { return false }
    let thread = load.time(of: sample.byteCount).adding(
      work.time(of: sample.byteCount).scaled(by: connectionCount, over: processorCount)
    )
    let path = time(of: sample.compressedByteCount, at: rate)
    return pays(max(thread, path), insteadOf: plainTime(of: sample.byteCount, at: rate))
  }

  /// Learns what the block took on which `next()` has decided.
  package mutating func sent(_ passage: Passage) {
    guard observes, passage.byteCount > 0 else { return }
    if latest == .compress {
      compressedRun += 1
      compressed.add(passage.byteCount, passage.nanoseconds)
      judge()
    } else {
      compressedRun = 0
      observe(passage)
    }
  }

  /// Stops where compressed blocks take as long as plain ones would: the processor is busy with
  /// others, or the receiver is what holds the transfer back.
  private mutating func judge() {
    guard let rate, compressed.byteCount >= CompressionPolicy.judgedByteCount else { return }
    let plain = plainTime(of: compressed.byteCount, at: rate)
    if compressed.nanoseconds >= plain {
      refuse()
    } else {
      nextWait = 1
    }
    compressed = Cost()
  }

  /// Sees from a plain block what the thread takes and what the path takes.
  private mutating func observe(_ passage: Passage) {
    let sending = min(passage.sendNanoseconds, passage.nanoseconds)
    load.add(passage.byteCount, passage.nanoseconds - sending)
    let blocked = sending - min(sending, passage.heldBackNanoseconds)
    // A thread that is held up for less than half of its time does not wait for the path.
    guard blocked > passage.nanoseconds / 2 else {
      rate = pace
      return
    }
    // Its work and the path's overlap: what the path has taken it took in all of that time.
    let time = passage.nanoseconds - min(passage.nanoseconds - 1, passage.heldBackNanoseconds)
    let bytes = UInt128(passage.sentByteCount) * UInt128(Duration.second)
    let seen = max(1, UInt64(clamping: bytes / UInt128(time)))
    rate = min(seen, pace ?? .max)
  }

  private mutating func refuse() {
    waiting = nextWait
    nextWait = min(2 * nextWait, CompressionPolicy.longestWait)
  }

  // MARK: - Times

  private func plainTime(of byteCount: UInt64, at rate: UInt64) -> UInt64 {
    max(load.time(of: byteCount), time(of: byteCount, at: rate))
  }

  private func pays(_ time: UInt64, insteadOf plain: UInt64) -> Bool {
    UInt128(time) * 100 <= UInt128(plain) * UInt128(100 - CompressionPolicy.gain)
  }

  /// The part of a rate that a connection has when all of them compress.
  private func share(of rate: UInt64) -> UInt64 {
    max(1, rate.scaled(by: processorCount, over: connectionCount))
  }

  /// Rounded up.
  private func time(of byteCount: UInt64, at rate: UInt64) -> UInt64 {
    let product = UInt128(byteCount) * UInt128(Duration.second)
    return UInt64(clamping: (product + UInt128(rate) - 1) / UInt128(rate))
  }
}

/// Bytes and the time that they took, of late.
private struct Cost: Sendable {
  private(set) var byteCount: UInt64 = 0
  private(set) var nanoseconds: UInt64 = 0

  /// What is remembered; half of it goes when there is more.
  private static let memory: UInt64 = 64 << 20

  mutating func add(_ byteCount: UInt64, _ nanoseconds: UInt64) {
    self.byteCount = self.byteCount.adding(byteCount)
    self.nanoseconds = self.nanoseconds.adding(nanoseconds)
    guard self.byteCount > Cost.memory else { return }
    self.byteCount /= 2
    self.nanoseconds /= 2
  }

  /// What so many bytes would take; nothing where nothing is known.
  func time(of byteCount: UInt64) -> UInt64 {
    self.byteCount == 0 ? 0 : nanoseconds.scaled(by: byteCount, over: self.byteCount)
  }
}

extension UInt64 {
  fileprivate func scaled(by numerator: UInt64, over denominator: UInt64) -> UInt64 {
    UInt64(clamping: UInt128(self) * UInt128(numerator) / UInt128(denominator))
  }

  fileprivate func adding(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
