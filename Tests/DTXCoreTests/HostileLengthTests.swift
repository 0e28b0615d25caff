import DTXCore
import Testing

/// Lengths that only a sender who lies announces.
@Suite struct HostileLengthTests {
  private static let largest = UInt64(Int64.max)

  /// A segment of files that are holes alone, which cost the receiver nothing.
  private static func announcement(_ number: Int, fileCount: Int) -> [Message] {
    var writer = ByteWriter()
    var inventory = Inventory()
    for file in 0..<fileCount {
      let entry = Entry(kind: .regular, parent: nil, mode: 0o644, modified: 0, byteCount: largest)
      let name = Array("\(number)\(file)".utf8)
      inventory.append(entry, name: name, attributes: [.dataRanges([])])
      EntryCodec.encode(file, of: inventory, for: .transfer, into: &writer)
    }
    return [
      .inventory(segment: number, page: writer.bytes),
      .inventoryEnd(segment: number, isLast: false),
    ]
  }

  @Test("lengths are summed over segments, and what no dataset has is a violation")
  func boundsTheSumOfAllSegments() {
    var receiver = HandDrivenReceiver()
    for message in Self.announcement(0, fileCount: 1) { receiver.hear(message) }
    #expect(receiver.outcomes.isEmpty)
    #expect(receiver.session.progress.byteCount == Self.largest)
    for message in Self.announcement(1, fileCount: 2) { receiver.hear(message) }
    #expect(receiver.violation?.contains("files of more than") == true)
    #expect(receiver.session.progress.byteCount == Self.largest)
  }

  @Test("a sender that finds so much says so itself, and is no trap")
  func boundsWhatIsScanned() {
    var sender = HandDrivenSender()
    for number in 0..<3 {
      var inventory = Inventory()
      let entry = Entry(
        kind: .regular,
        parent: nil,
        mode: 0o644,
        modified: 0,
        byteCount: Self.largest
      )
      inventory.append(entry, name: Array("\(number)".utf8), attributes: [.dataRanges([])])
      let segment = Segment(
        index: number,
        isLast: false,
        inventory: inventory,
        blockByteCount: SessionFixtures.blockByteCount
      )
      guard sender.outcomes.isEmpty else { break }
      sender.tell(.scanned(segment))
    }
    guard case .failed(let failure)? = sender.outcomes.first else {
      Issue.record("it went on")
      return
    }
    #expect(failure.kind == .storage)
    #expect(failure.reason.contains("more than"))
  }

  @Test("one segment alone may be too long as well")
  func boundsASegment() {
    var receiver = HandDrivenReceiver()
    for message in Self.announcement(0, fileCount: 2) { receiver.hear(message) }
    #expect(receiver.violation?.contains("files of more than") == true)
  }
}
