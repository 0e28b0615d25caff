import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux
import Testing

@testable import dtx

/// Bytes of a text.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Files of this checkout.
enum Checkout {
  static func text(_ path: String) throws -> String {
    let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
    let file = try File.open(bytes("\(root)/\(path)"), .read)
    let byteCount = try file.status().byteCount
    return String(decoding: try file.read(byteCount: Int(byteCount), at: 0), as: UTF8.self)
  }
}

/// A command of the given type, as the arguments make it.
func parsed<Command>(_ arguments: String...) throws -> Command {
  try #require(try DTX.parseAsRoot(arguments) as? Command)
}

/// A transfer that went well, with figures that tell every field from the others.
func completedReport() -> TransferReport {
  var report = TransferReport(outcome: .completed, direction: .push)
  report.entryCount = 1300
  report.fileCount = 1234
  report.byteCount = 12_345_678_901
  report.wantedBlockCount = 250
  report.wantedByteCount = 4_100_000_000
  report.durableBlockCount = 249
  report.durableByteCount = 4_000_000_000
  report.sentByteCount = 4_000_000_100
  report.resentByteCount = 100
  report.skippedByteCount = 8_245_678_901
  report.resumedByteCount = 1_000_000_000
  report.unreadByteCount = 7_000_000_000
  report.nanoseconds = 8_000_000_000
  report.lanes = [
    laneReport(Lane(contract: .bestEffort, rate: nil, connectionCount: 1), 3_000_000_000, 200),
    laneReport(Lane(contract: .bestEffort, rate: nil, connectionCount: 1), 1_000_000_100, 49),
  ]
  report.roots = Roots(
    content: Digest(words: (1, 2, 3, 4)),
    full: Digest(words: (5, 6, 7, 8))
  )
  report.generation = 2
  report.offPlanBlockCount = 1
  report.planDigest = Digest(words: (9, 10, 0, 0))
  report.peakMemoryByteCount = 50_000_000
  report.receiver.peakMemoryByteCount = 60_000_000
  report.receiver.processorNanoseconds = 3_000_000_001
  report.receiver.epochCount = 8
  report.receiver.syncNanoseconds = 400_000_000
  report.receiver.rereadByteCount = 1_000_000_000
  report.receiver.processorCount = 4
  report.receiver.storage = StorageUse(access: .direct, mechanism: .plainRing)
  report.receiver.times[.committing] = 2 * Duration.second
  report.sender.peakMemoryByteCount = 50_000_000
  report.sender.processorCount = 8
  report.sender.processorNanoseconds = 2 * Duration.second
  report.sender.hostProcessorNanoseconds = 5 * Duration.second
  report.sender.times[.opening] = Duration.second
  report.sender.times[.moving] = Duration.second / 2
  report.sender.times[.settling] = 6 * Duration.second + Duration.second / 2
  report.limitation = Limitation(
    Limitation.Evidence(sender: report.sender, receiver: report.receiver)
  )
  return report
}

/// A file of two extents, one of them unread, two links, a small file, and one that nobody read.
func manifestSegment() -> ManifestSegment {
  let time: Int64 = 1_709_210_096_000_000_005
  var inventory = Inventory()
  let root = inventory.append(
    Entry(kind: .directory, parent: nil, mode: 0o755, modified: time),
    name: []
  )
  inventory.append(
    Entry(
      kind: .regular,
      parent: root,
      mode: 0o4755,
      userID: 1000,
      groupID: 100,
      modified: time,
      byteCount: 100_000
    ),
    name: bytes("large")
  )
  inventory.append(
    Entry(kind: .symlink, parent: root, mode: 0o777, modified: time),
    name: bytes("link"),
    attributes: [.linkTarget(bytes("to\u{1B}"))]
  )
  inventory.append(
    Entry(kind: .regular, parent: root, mode: 0o644, modified: time, byteCount: 5),
    name: bytes("small") + [0xFF]
  )
  inventory.append(
    Entry(kind: .regular, parent: root, mode: 0o644, modified: time, byteCount: 6),
    name: bytes("unread")
  )
  inventory.append(
    Entry(kind: .symlink, parent: root, mode: 0o777, modified: time),
    name: bytes("wild"),
    attributes: [.linkTarget([0xFF])]
  )
  let cut = Segment(index: 0, isLast: true, inventory: inventory, blockByteCount: 65_536)
  let known = Digest(words: (0x0123_4567_89AB_CDEF, 0xFF, 0, 0))
  var digests = [Digest](repeating: .zero, count: cut.extents.count)
  for index in cut.extents.indices {
    let extent = cut.extents[index]
    let isLargesFirst = extent.entry == 1 && extent.offset == 0
    if isLargesFirst || extent.entry == 3 { digests[index] = known }
  }
  return ManifestSegment(
    cut,
    digests: digests,
    excluded: BitSet(count: cut.entries.count),
    blockByteCount: 65_536
  )
}

private func laneReport(_ lane: Lane, _ byteCount: UInt64, _ blockCount: Int) -> LaneReport {
  var report = LaneReport(lane: lane)
  report.sentByteCount = byteCount
  report.blockCount = blockCount
  report.connectionCount = lane.connectionCount
  report.sourcePorts = [40_001]
  return report
}
