@testable import DTXCore
@testable import DTXEngine
import DTXLinux
import Testing

@Suite struct DestinationPublishingTests {
  /// Enough files for every thread that may publish.
  private static let modes: [UInt16] = [0o644, 0o600, 0o640, 0o604, 0o666, 0o444, 0o755, 0o4755]
  private static let samples: [Sample] = {
    var samples: [Sample] = [.root()]
    for directory in 0..<6 {
      samples.append(.directory("d\(directory)"))
      for number in 0..<150 {
        let mode = modes[number % modes.count]
        let path = "d\(directory)/f\(number)"
        samples.append(.file(path, 20 + number, seed: UInt8(number), mode: mode))
      }
    }
    return samples
  }()

  @Test func anEpochOfManyFilesIsPublishedAsItIs() throws {
    let tree = try TestTree()
    let dataset = TestDataset(Self.samples)
    var transfer = try TestTransfer(tree, dataset, options: Self.options)
    try transfer.run()
    #expect(transfer.failures.isEmpty)
    for sample in Self.samples where sample.entry.kind == .regular {
      let path = String(decoding: sample.path, as: UTF8.self)
      let status = try tree.root.status(of: sample.path)
      let mode =
        Host.effectiveUserID == 0 ? sample.entry.mode : sample.entry.mode & ~0o6000
      #expect(status.mode == mode, "\(path)")
      #expect(status.modified == sample.entry.modified, "\(path)")
      #expect(status.userID == sample.entry.userID, "\(path)")
      #expect(try tree.content(sample.path) == sample.content, "\(path)")
    }
    var second = try TestTransfer(tree, dataset, options: Self.options)
    try second.run()
    #expect(second.comparisons.allSatisfy { $0.wanted.isEmpty && !$0.digests.contains(.zero) })
  }

  @Test func whatIsMissingFailsAndTheRestIsPublished() throws {
    let tree = try TestTree()
    let dataset = TestDataset(Self.samples)
    var transfer = try TestTransfer(tree, dataset)
    defer { transfer.destination.close() }
    let segment = dataset.segments[0]
    try transfer.compareAndPrepare(segment)
    var work = EpochWork(epoch: 1)
    for (extent, found) in segment.extents.enumerated() {
      try transfer.write(segment, extent)
      work.complete.append(EpochWork.EntryPlace(segment: 0, entry: Int(found.entry)))
    }
    let lost = ["d0/f0", "d3/f77", "d5/f149"].compactMap { segment.entry($0) }
    for entry in lost {
      let path = segment.inventory.path(of: entry)
      let staged = transfer.destination.stagedName.name(for: segment.inventory.name(of: entry))
      try tree.root.unlink(path.prefix(3) + staged)
    }
    let failures = try transfer.destination.commit(work).failures
    #expect(Set(failures.map(\.entry)) == Set(lost))
    for (index, entry) in segment.entries.enumerated() where entry.kind == .regular {
      let status = try tree.root.statusIfPresent(of: segment.inventory.path(of: index))
      #expect((status == nil) == lost.contains(index))
    }
  }

  @Test("a staged file grants nobody more than the file will, whoever he is by then")
  func stagedFilesGrantNothingMore() {
    for mode in UInt16(0)...0o7777 {
      let entry = Entry(kind: .regular, parent: nil, mode: mode, modified: 0)
      let metadata = EntryMetadata(entry, preservesOwner: true)
      let granted = metadata.stagedPermissions
      let (group, others) = (granted >> 3 & 0o7, granted & 0o7)
      let classes = [mode >> 6 & 0o7, mode >> 3 & 0o7, mode & 0o7].map { UInt32($0) }
      #expect(classes.allSatisfy { $0 & group == group && $0 & others == others })
      #expect(granted & ~0o777 == 0)
      #expect(granted >> 6 & ~0o6 & ~classes[0] == 0)
      #expect(granted & 0o600 == 0o600)
    }
    let entry = Entry(kind: .regular, parent: nil, mode: 0o644, modified: 0)
    #expect(EntryMetadata(entry, preservesOwner: true).stagedPermissions == 0o644)
  }

  @Test("a file in a directory that gives its own group gets the source's", .enabled(if: isRoot))
  func ownersDoNotComeFromTheDirectory() throws {
    let tree = try TestTree()
    try tree.makeDirectory("d")
    try tree.root.setOwner(of: Array("d".utf8), user: 0, group: 4321)
    try tree.root.setMode(of: Array("d".utf8), 0o2755)
    let samples: [Sample] = [
      .root(), .directory("d"), .file("d/f", 10), .file("d/g", 10, mode: 0o640),
      // The rights of the next ones are known from those before them.
      .file("d/h", 10), .file("d/i", 10, mode: 0o640),
    ]
    var transfer = try TestTransfer(tree, TestDataset(samples), options: Self.options)
    try transfer.run()
    for sample in samples.dropFirst(2) {
      let name = String(decoding: sample.path, as: UTF8.self)
      let status = try #require(try tree.status(name))
      #expect(status.groupID == sample.entry.groupID)
      #expect(status.mode == sample.entry.mode)
    }
  }

  @Test(
    "a directory that comes to give its own group does not hand the files over",
    .enabled(if: isRoot),
    arguments: [VerificationLevel.memory, .durable]
  )
  func whatADirectoryGivesMeanwhileIsSetRight(_ level: VerificationLevel) throws {
    let tree = try TestTree()
    let samples: [Sample] = [.root(), .directory("d"), .file("d/f", 10), .file("d/g", 10)]
    let dataset = TestDataset(samples)
    var options = Self.options
    options.verification = level
    var transfer = try TestTransfer(tree, dataset, options: options)
    defer { transfer.destination.close() }
    let segment = dataset.segments[0]
    try transfer.compareAndPrepare(segment)
    var work = EpochWork(epoch: 1)
    for (extent, found) in segment.extents.enumerated() {
      try transfer.write(segment, extent)
      work.complete.append(EpochWork.EntryPlace(segment: 0, entry: Int(found.entry)))
      try tree.root.setOwner(of: Array("d".utf8), user: 0, group: 4321)
      try tree.root.setMode(of: Array("d".utf8), 0o2755)
    }
    #expect(try transfer.destination.commit(work).failures.isEmpty)
    for sample in samples.dropFirst(2) {
      let status = try tree.root.status(of: sample.path)
      #expect(status.groupID == sample.entry.groupID)
      #expect(status.mode == sample.entry.mode)
    }
  }

  private static var isRoot: Bool { Host.effectiveUserID == 0 }

  /// Owners are taken over where that is possible, and with them set-id bits.
  private static let options = DestinationOptions(
    preservesOwner: isRoot,
    blockByteCount: TestDataset.blockByteCount
  )
}
