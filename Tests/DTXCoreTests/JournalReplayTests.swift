import DTXCore
import Testing

@Suite struct JournalReplayTests {
  private func identity(_ path: String, version: Int64 = 0) -> FileIdentity {
    FileIdentity(
      path: Array(path.utf8),
      byteCount: 1000,
      modified: version,
      sourceIdentity: 7
    )
  }

  private func extent(
    _ offset: UInt64,
    _ byteCount: UInt32 = 100,
    tag: UInt64 = 1
  )
    -> DurableExtent
  {
    DurableExtent(offset: offset, byteCount: byteCount, digest: Digest(words: (tag, 0, 0, 0)))
  }

  private func journal(_ bodies: [JournalRecord.Body], firstSequence: UInt64 = 0) -> [UInt8] {
    var bytes = JournalCodec.fileHeader
    for (index, body) in bodies.enumerated() {
      let record = JournalRecord(
        epoch: UInt32(index),
        sequence: firstSequence + UInt64(index),
        session: 9,
        body: body
      )
      bytes += JournalCodec.encode(record)
    }
    return bytes
  }

  /// A journal of several files, and where each of its records ends.
  private func sample() -> (bytes: [UInt8], ends: [Int]) {
    let bodies: [JournalRecord.Body] = [
      .opened(blockByteCount: 100, wallTime: 1),
      .durable(identity("b"), extent(0)),
      .durable(identity("a/x"), extent(100)),
      .durable(identity("b"), extent(100, tag: 2)),
      .published(path: Array("b".utf8)),
      .durable(identity("c"), extent(0)),
      .discarded(path: Array("c".utf8)),
    ]
    var ends = [JournalCodec.fileHeader.count]
    for count in 1...bodies.count { ends.append(journal(Array(bodies.prefix(count))).count) }
    return (journal(bodies), ends)
  }

  @Test func theGoldenJournalIsReplayed() {
    let replay = JournalReplay(Vectors.journal)
    #expect(replay.end == .clean)
    #expect(replay.validByteCount == Vectors.journal.count)
    #expect(replay.nextSequence == 6)
    #expect(replay.recordCount == 6)
    #expect(replay.lastEpoch == 4)
    #expect(replay.lastSession == 0x1122_3344_5566_7788)
    #expect(replay.blockByteCount == 65536)
    #expect(replay.token == 7)
    #expect(replay.files.isEmpty)
  }

  @Test func aTokenIsThatOfTheSessionThatBeganLast() {
    let opening = JournalRecord.Body.opened(blockByteCount: 100, wallTime: 0)
    #expect(JournalReplay(journal([opening])).token == nil)
    #expect(JournalReplay(journal([opening, .owned(token: 3)])).token == 3)
    #expect(JournalReplay(journal([opening, .owned(token: 3), opening])).token == nil)
    let owned = JournalReplay(
      JournalReplay([]).compacted(
        session: 1,
        epoch: 0,
        blockByteCount: 100,
        wallTime: 0,
        token: 4
      )
    )
    #expect(owned.token == 4)
    #expect(owned.recordCount == 2)
  }

  @Test func nothingIsAnEmptyJournal() {
    let empty = JournalReplay([])
    #expect(empty.end == .clean)
    #expect(empty.validByteCount == 0)
    #expect(empty.nextSequence == 0)
    #expect(empty.lastEpoch == nil)
    #expect(empty.blockByteCount == nil)
    let headed = JournalReplay(JournalCodec.fileHeader)
    #expect(headed.end == .clean)
    #expect(headed.validByteCount == 16)
  }

  @Test func aWrongHeaderMakesNothingValid() {
    let bytes = Vectors.journal
    for count in 1..<16 {
      let replay = JournalReplay(Array(bytes.prefix(count)))
      let reason = FormatError(offset: 0, field: "header", problem: .truncated)
      #expect(replay.end == .torn(offset: 0, reason: reason))
      #expect(replay.validByteCount == 0)
    }
    for (bit, flipped) in bitFlips(of: Array(bytes.prefix(16))) {
      let replay = JournalReplay(flipped + bytes.dropFirst(16))
      guard case .torn(offset: 0, let reason) = replay.end else {
        Issue.record("bit \(bit) went unnoticed")
        continue
      }
      #expect(reason.problem == .invalid("no journal of this version"))
      #expect(replay.validByteCount == 0)
      #expect(replay.files.isEmpty)
    }
  }

  @Test func aTruncatedJournalIsAPrefixOfItsRecords() {
    let (bytes, ends) = sample()
    for count in 16...bytes.count {
      let replay = JournalReplay(Array(bytes.prefix(count)))
      let records = (ends.lastIndex { $0 <= count }) ?? 0
      #expect(replay.recordCount == records, "\(count) bytes")
      #expect(replay.validByteCount == ends[records], "\(count) bytes")
      let isClean = ends[records] == count
      #expect((replay.end == .clean) == isClean, "\(count) bytes")
      if case .torn(let offset, let reason) = replay.end {
        #expect(offset == ends[records])
        #expect(reason.problem == .truncated)
      }
      #expect(replay.files == JournalReplay(Array(bytes.prefix(ends[records]))).files)
    }
  }

  @Test func aTurnedBitEndsTheLogBeforeItsRecord() {
    let (bytes, ends) = sample()
    for (bit, flipped) in bitFlips(of: bytes) where bit / 8 >= 16 {
      let records = (ends.lastIndex { $0 <= bit / 8 }) ?? 0
      let replay = JournalReplay(flipped)
      #expect(replay.recordCount == records, "bit \(bit)")
      #expect(replay.validByteCount == ends[records], "bit \(bit)")
      #expect(replay.end != .clean, "bit \(bit)")
      #expect(replay.files == JournalReplay(Array(bytes.prefix(ends[records]))).files)
    }
  }

  @Test(arguments: [1, 3, 4, 28, 29, 4096])
  func zerosEndTheLog(count: Int) {
    let (bytes, ends) = sample()
    for end in ends {
      let zeroed = Array(bytes.prefix(end)) + Array(repeating: 0, count: count)
      let replay = JournalReplay(zeroed)
      #expect(replay.validByteCount == end)
      guard case .torn(let offset, let reason) = replay.end else {
        Issue.record("zeros behind byte \(end) went unnoticed")
        continue
      }
      #expect(offset == end)
      #expect(
        reason.problem
          == (count < 4 ? .truncated : .invalid("zeros where a record would begin"))
      )
    }
  }

  @Test func aRecordWhoseEndIsZeroedEndsTheLog() {
    let (bytes, ends) = sample()
    for (start, end) in zip(ends, ends.dropFirst()) {
      for count in 1...end - start {
        var torn = Array(bytes.prefix(end))
        guard torn[(end - count)...].contains(where: { $0 != 0 }) else { continue }
        for index in end - count..<end { torn[index] = 0 }
        #expect(JournalReplay(torn).validByteCount == start, "\(count) of the bytes before \(end)")
      }
    }
  }

  @Test func sequencesRiseByOne() {
    let bodies: [JournalRecord.Body] = [.opened(blockByteCount: 100, wallTime: 0)]
    let late = JournalReplay(journal(bodies, firstSequence: 1))
    let reason = FormatError(
      offset: 16,
      field: "sequence",
      problem: .invalid("1 where 0 follows")
    )
    #expect(late.end == .torn(offset: 16, reason: reason))
    #expect(late.recordCount == 0)
    // A record that appears twice, as after a write that was repeated.
    let once = journal(bodies)
    let twice = JournalReplay(once + once.dropFirst(16))
    #expect(twice.validByteCount == once.count)
    #expect(twice.nextSequence == 1)
  }

  @Test func appendingBehindATearGoesOn() {
    let (bytes, _) = sample()
    for count in 16...bytes.count {
      let torn = JournalReplay(Array(bytes.prefix(count)))
      let record = JournalRecord(
        epoch: 1,
        sequence: torn.nextSequence,
        session: 10,
        body: .durable(identity("z"), extent(0))
      )
      let repaired = Array(bytes.prefix(torn.validByteCount)) + JournalCodec.encode(record)
      let replay = JournalReplay(repaired)
      #expect(replay.end == .clean)
      #expect(replay.file(at: Array("z".utf8))?.extents == [extent(0)])
      #expect(replay.lastSession == 10)
    }
  }

  @Test func filesAreInCanonicalOrderAndFound() {
    let paths = ["b", "a/x", "a.b", "a", "a/x.y", "B", "ab"]
    let replay = JournalReplay(journal(paths.map { .durable(identity($0), extent(0)) }))
    let found = replay.files.map { String(decoding: $0.identity.path, as: UTF8.self) }
    #expect(found == ["B", "a", "a/x", "a/x.y", "a.b", "ab", "b"])
    for path in paths {
      #expect(replay.file(at: Array(path.utf8))?.identity == identity(path))
    }
    for path in ["", "a/", "a/y", "c", "A"] { #expect(replay.file(at: Array(path.utf8)) == nil) }
  }

  @Test func anotherIdentityDiscardsWhatWasKnown() {
    let replay = JournalReplay(
      journal([
        .durable(identity("a", version: 1), extent(0)),
        .durable(identity("a", version: 1), extent(100)),
        .durable(identity("a", version: 2), extent(200)),
      ])
    )
    #expect(replay.files.count == 1)
    #expect(replay.files.first?.identity == identity("a", version: 2))
    #expect(replay.files.first?.extents == [extent(200)])
    #expect(replay.files.first?.durableByteCount == 100)
  }

  @Test func aLaterExtentReplacesWhatItOverlaps() {
    let replay = JournalReplay(
      journal([
        .durable(identity("a"), extent(0, tag: 1)),
        .durable(identity("a"), extent(200, tag: 2)),
        .durable(identity("a"), extent(100, tag: 3)),
        .durable(identity("a"), extent(100, tag: 4)),
        .durable(identity("a"), extent(250, 100, tag: 5)),
      ])
    )
    let file = replay.file(at: Array("a".utf8))
    #expect(file?.extents == [extent(0, tag: 1), extent(100, tag: 4), extent(250, 100, tag: 5)])
    #expect(file?.extent(at: 100) == extent(100, tag: 4))
    #expect(file?.extent(at: 200) == nil)
    #expect(file?.extent(at: 900) == nil)
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func extentsAgreeWithAMapOfBytes(seed: UInt64) {
    var numbers = SeededNumbers(seed: seed)
    // Who wrote each byte last, and which writers were overwritten in part.
    var owners: [UInt64?] = Array(repeating: nil, count: 20)
    var bodies: [JournalRecord.Body] = []
    let identity = FileIdentity(path: [0x61], byteCount: 20, modified: 0, sourceIdentity: 0)
    for tag in 1...UInt64(1 + numbers.below(12)) {
      let offset = numbers.below(20)
      let count = 1 + numbers.below(min(6, 20 - offset))
      for owner in owners[offset..<offset + count] {
        guard let owner else { continue }
        for index in owners.indices where owners[index] == owner { owners[index] = nil }
      }
      for index in offset..<offset + count { owners[index] = tag }
      bodies.append(.durable(identity, extent(UInt64(offset), UInt32(count), tag: tag)))
    }
    var expected: [DurableExtent] = []
    for (index, owner) in owners.enumerated() {
      guard let owner else { continue }
      if let last = expected.last, last.digest.words.0 == owner {
        expected[expected.count - 1].byteCount += 1
      } else {
        expected.append(extent(UInt64(index), 1, tag: owner))
      }
    }
    #expect(JournalReplay(journal(bodies)).files.first?.extents == expected, "seed \(seed)")
  }

  @Test(arguments: 0..<50 as Range<UInt64>)
  func compactingKeepsWhatIsLive(seed: UInt64) {
    var numbers = SeededNumbers(seed: seed)
    var bodies: [JournalRecord.Body] = [.opened(blockByteCount: 100, wallTime: 0)]
    for tag in 0..<60 {
      let file = identity("f\(numbers.below(6))", version: Int64(numbers.below(2)))
      switch numbers.below(8) {
      case 0: bodies.append(.published(path: file.path))
      case 1: bodies.append(.discarded(path: file.path))
      default:
        let offset = UInt64(numbers.below(10) * 100)
        bodies.append(.durable(file, extent(offset, tag: UInt64(tag))))
      }
    }
    let replay = JournalReplay(journal(bodies))
    let bytes = replay.compacted(session: 77, epoch: 5, blockByteCount: 300, wallTime: 4)
    let again = JournalReplay(bytes)
    #expect(again.end == .clean)
    #expect(again.files == replay.files, "seed \(seed)")
    #expect(again.blockByteCount == 300)
    #expect(again.lastSession == 77)
    #expect(again.lastEpoch == 5)
    let live = replay.files.reduce(0) { $0 + $1.extents.count }
    #expect(again.nextSequence == UInt64(live + 1))
    #expect(again.compacted(session: 77, epoch: 5, blockByteCount: 300, wallTime: 4) == bytes)
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func noBytesTrap(seed: UInt64) {
    var numbers = SeededNumbers(seed: seed)
    var bytes = JournalCodec.fileHeader
    for _ in 0..<numbers.below(300) { bytes.append(UInt8(truncatingIfNeeded: numbers.next())) }
    let replay = JournalReplay(bytes)
    #expect(replay.validByteCount == 16)
    #expect(replay.files.isEmpty)
  }
}
