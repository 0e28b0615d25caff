internal import DTXCore

// What the two ends tell each other of a dataset's entries.
extension Decoder {
  static let inventories = [
    Decoder("attributes", .shortened, encode: AttributeCodec.encode, decode: attributes),
    Decoder("entry", .shortened, encode: encodeEntry, decode: entry),
    Decoder("inventory", check: checkInventory),
    Decoder("comparison", check: checkComparison),
  ]

  @Sendable private static func attributes(_ bytes: [UInt8]) throws(FormatError) -> [Attribute] {
    var reader = ByteReader(bytes)
    let list = try AttributeCodec.decode(&reader)
    try reader.finish("attributes")
    return list
  }

  @Sendable private static func entry(_ bytes: [UInt8]) throws(FormatError) -> DecodedEntry {
    var reader = ByteReader(bytes)
    let decoded = try EntryCodec.decode(&reader)
    try reader.finish("entry")
    return decoded
  }

  @Sendable private static func encodeEntry(_ decoded: DecodedEntry) -> [UInt8] {
    var inventory = Inventory()
    inventory.append(decoded.entry, name: decoded.name, attributes: decoded.attributes)
    var writer = ByteWriter()
    EntryCodec.encode(0, of: inventory, for: .transfer, into: &writer)
    return writer.bytes
  }

  /// Two segments from a peer: a byte that chooses the block's length, two for the length of the
  /// first segment's page, and the pages.
  @Sendable private static func checkInventory(_ bytes: [UInt8]) throws(Violation) {
    guard bytes.count >= 3 else { return }
    let lengths = [1, Limits.minimumBlockByteCount, 16 << 20, Limits.maximumBlockByteCount]
    let blockByteCount = lengths[Int(bytes[0] % 4)]
    let split = min(bytes.count, 3 + Int(bytes[1]) + Int(bytes[2]) << 8)
    var order = SegmentOrder()
    for (index, page) in [bytes[3..<split], bytes[split...]].enumerated() {
      guard let inventory = try inventory(page, segment: index, blockByteCount) else { return }
      if order.add(inventory) != nil { return }
      try holdNames(inventory)
      try holdCut(inventory, segment: index, blockByteCount)
    }
  }

  private static func inventory(
    _ page: ArraySlice<UInt8>,
    segment: Int,
    _ blockByteCount: UInt64
  ) throws(Violation) -> Inventory? {
    try taken(Array(page)) { bytes throws(FormatError) in
      var decoder = InventoryDecoder(
        isFirstSegment: segment == 0,
        blockByteCount: blockByteCount
      )
      try decoder.add(page: bytes[...])
      return decoder.finish()
    }
  }

  /// Paths ascend, stay below the root and within their limit.
  private static func holdNames(_ inventory: Inventory) throws(Violation) {
    var last: [UInt8]?
    for index in inventory.entries.indices {
      let path = inventory.path(of: index)
      try demand(path.count <= Limits.pathByteCount, "a path of \(path.count) bytes")
      let names = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      for name in names where !path.isEmpty {
        let isPlain =
          !name.isEmpty && !name.contains(0) && !name.elementsEqual(".".utf8)
          && !name.elementsEqual("..".utf8)
        try demand(isPlain, "a path that leads elsewhere")
      }
      try demand(last.map { Inventory.precedes($0, path) } ?? true, "paths do not ascend")
      last = path
    }
  }

  /// What is cut covers the data, and the peer at the other end of it would take it too.
  private static func holdCut(
    _ inventory: Inventory,
    segment index: Int,
    _ blockByteCount: UInt64
  ) throws(Violation) {
    // A few bytes may stand for 2^24 extents, within the limit: that is no work for every input.
    guard inventory.byteCount / blockByteCount <= 2000 else { return }
    let segment = Segment(
      index: index,
      isLast: true,
      inventory: inventory,
      blockByteCount: blockByteCount
    )
    try demand(segment.extents.count <= Limits.segmentExtentCount, "too many extents")
    var next = 0
    for block in segment.blocks {
      try demand(block.extents.lowerBound == next, "a block that begins elsewhere")
      next = block.extents.upperBound
      try demand(block.extentCount <= Limits.blockExtentCount, "a block of too many extents")
      try demand(block.byteCount <= blockByteCount, "a block of \(block.byteCount) bytes")
    }
    try demand(next == segment.extents.count, "extents in no block")
    for extent in segment.extents {
      try demand(extent.end <= segment.entries[Int(extent.entry)].byteCount, "past the end")
    }
    var page: [UInt8] = []
    segment.announce { message in
      if case .inventory(_, let bytes) = message { page += bytes }
    }
    let other = try Decoder.inventory(page[...], segment: index, blockByteCount)
    try demand(other?.count == inventory.count, "its own announcement is refused")
  }

  /// Two bytes for the number of extents, then a page.
  @Sendable private static func checkComparison(_ bytes: [UInt8]) throws(Violation) {
    guard bytes.count >= 2 else { return }
    // More of them would cost time alone.
    let extentCount = (Int(bytes[0]) + Int(bytes[1]) << 8) % 4096
    @Sendable func decode(_ pages: [[UInt8]]) throws(FormatError) -> ComparisonCodec.Decoder {
      var decoder = ComparisonCodec.Decoder(extentCount: extentCount)
      for page in pages { try decoder.add(page: page) }
      return decoder
    }
    let page = Array(bytes[2...])
    let found = try taken(page) { bytes throws(FormatError) in try decode([bytes]) }
    guard let found, found.isComplete else { return }
    let again = try? decode(ComparisonCodec.encode(found.comparison))
    try demand(again?.isComplete == true, "its own pages are refused")
    try demand(again?.comparison == found.comparison, "its own pages say something else")
  }
}
