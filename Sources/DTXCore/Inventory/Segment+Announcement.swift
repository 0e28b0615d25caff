extension Segment {
  /// Makes the messages that tell the receiver of the segment's entries, page by page.
  ///
  /// - Parameters:
  ///   - isFull: whether a page of so many bytes and entries is sent as it is; as a rule that is one
  ///     which leaves room for any one entry more.
  ///   - send: takes each message, in order.
  package func announce(
    isFull: (_ byteCount: Int, _ entryCount: Int) -> Bool = { byteCount, _ in
      byteCount >= Limits.controlFrameByteCount / 2
    },
    _ send: (Message) -> Void
  ) {
    var page = ByteWriter()
    var entryCount = 0
    for entry in entries.indices {
      EntryCodec.encode(entry, of: inventory, for: .transfer, into: &page)
      entryCount += 1
      guard isFull(page.byteCount, entryCount) else { continue }
      send(.inventory(segment: index, page: page.bytes))
      page = ByteWriter()
      entryCount = 0
    }
    if entryCount > 0 { send(.inventory(segment: index, page: page.bytes)) }
    send(.inventoryEnd(segment: index, isLast: isLast))
  }
}
