internal import DTXCore

/// The bytes of a journal's record.
enum JournalPieces {
  static func measure(with stopwatch: inout Stopwatch) {
    let count = 1000
    let records = (0..<count).map { index in
      JournalRecord(
        epoch: 1,
        sequence: UInt64(index),
        session: 7,
        body: .durable(
          FileIdentity(
            path: Array("directory-0001/file-000001".utf8),
            byteCount: 1 << 40,
            modified: 1_700_000_000_000_000_000,
            sourceIdentity: 42
          ),
          DurableExtent(
            offset: UInt64(index) << 20,
            byteCount: 1 << 20,
            digest: Digest(words: (1, 2, 0, 0))
          )
        )
      )
    }
    stopwatch.time("journal encode", per: "record", count) {
      records.reduce(0) { $0 &+ UInt64(JournalCodec.encode($1).count) }
    }
  }
}
