internal import DTXCore

/// Segments to plan and move.
enum SampleSegments {
  static let blockByteCount: UInt64 = 1 << 20

  /// Directories of a thousand small files each.
  static func smallFiles(_ count: Int) -> Inventory {
    var inventory = Inventory()
    var directory = 0
    for index in 0..<count {
      if index % 1000 == 0 {
        directory = inventory.append(
          Entry(kind: .directory, parent: nil, mode: 0o755, modified: 1_700_000_000_000_000_000),
          name: name("directory", index / 1000)
        )
      }
      inventory.append(
        Entry(
          kind: .regular,
          parent: directory,
          mode: 0o644,
          userID: 1000,
          groupID: 1000,
          modified: 1_700_000_000_000_000_000 + Int64(index),
          byteCount: 16 << 10
        ),
        name: name("file", index),
        attributes: [.sourceIdentity(UInt64(index) &* 0x9e37_79b9_7f4a_7c15)]
      )
    }
    return inventory
  }

  /// One file of so many blocks.
  static func largeFile(blockCount: Int) -> Segment {
    var inventory = Inventory()
    inventory.append(
      Entry(
        kind: .regular,
        parent: nil,
        mode: 0o644,
        modified: 0,
        byteCount: UInt64(blockCount) * blockByteCount
      ),
      name: Array("large".utf8)
    )
    let segment = Segment(
      index: 0,
      isLast: true,
      inventory: inventory,
      blockByteCount: blockByteCount
    )
    precondition(segment.blocks.count == blockCount, "one extent a block")
    return segment
  }

  /// Four lanes of a 100 Gb/s path.
  static let inputs = PlanInputs(
    lanes: Array(
      repeating: Lane(
        contract: .reserved,
        rate: Rate(bitsPerSecond: 25_000_000_000),
        connectionCount: 1
      ),
      count: 4
    )
  )

  /// What a sender says of a segment's entries.
  static func page(of inventory: Inventory) -> [UInt8] {
    var writer = ByteWriter()
    for index in inventory.entries.indices {
      EntryCodec.encode(index, of: inventory, for: .transfer, into: &writer)
    }
    return writer.bytes
  }

  private static func name(_ prefix: String, _ index: Int) -> [UInt8] {
    let digits = String(index)
    return Array((prefix + "-" + String(repeating: "0", count: 8 - digits.count) + digits).utf8)
  }
}
