@testable import DTXCore
@testable import DTXEngine
import DTXLinux
import Testing

/// A mount below a tree, which only root may make; it ends with the test.
final class Mount: Sendable {
  let tree: TestTree
  let path: [UInt8]

  /// Nil where it cannot be made.
  init?(_ tree: TestTree, at name: String, _ arguments: [String]) throws {
    self.tree = tree
    path = tree.path(name)
    guard Host.effectiveUserID == 0, try Mount.run(["mount"] + arguments, path) else {
      print("skipped: only root may mount a file system")
      return nil
    }
  }

  /// A file system of 4 MiB in memory.
  static func small(_ options: String = "size=4m") throws -> Mount? {
    let tree = try TestTree()
    try tree.makeDirectory("small")
    return try Mount(tree, at: "small", ["-t", "tmpfs", "-o", options, "none"])
  }

  deinit {
    // Lazily: the test's own directories may still be open.
    _ = try? Mount.run(["umount", "-l"], path)
  }

  private static func run(_ command: [String], _ path: [UInt8]) throws -> Bool {
    let child = try Child.spawn(command + [String(decoding: path, as: UTF8.self)])
    return try child.wait() == .exited(0)
  }
}

@Suite struct DestinationSpaceTests {
  @Test func aFullFileSystemIsSaidByTheWriteAndWhatIsDurableStays() throws {
    guard let small = try Mount.small() else { return }
    let options = DestinationOptions(blockByteCount: TestDataset.blockByteCount)
    let dataset = TestDataset([.root(), .file("a", 1_000_000), .file("b", 8_000_000)])
    let destination = try Destination.open(
      root: small.path,
      topNames: [[]],
      session: 1,
      options: options
    )
    defer { destination.close() }
    #expect(try #require(destination.rooms().first?.byteCount) <= 4 << 20)
    var transfer = TestTransfer(destination, dataset)
    let segment = dataset.segments[0]
    let comparison = try transfer.compareAndPrepare(segment)
    var failure: SystemError?
    var work = EpochWork(epoch: 1)
    for extent in segment.extents.indices where comparison.wanted[extent] {
      guard case .file(let staged) = destination.stage(segment, extent: extent) else {
        Issue.record("a full disk must not look like one bad entry")
        break
      }
      do throws(SystemError) {
        try dataset.bytes(segment, extent).span.withUnsafeBytes { bytes throws(SystemError) in
          try staged.write(bytes, at: segment.extents[extent].offset)
        }
      } catch {
        failure = error
        _ = destination.finish(staged, segment: segment, extent: extent, isIntact: false)
        break
      }
      #expect(destination.finish(staged, segment: segment, extent: extent, isIntact: true) == nil)
      work.extents.append(
        EpochWork.ExtentPlace(segment: 0, extent: extent, digest: dataset.digest(segment, extent))
      )
    }
    #expect(failure?.name == "ENOSPC")
    #expect(failure?.isAboutSpace == true)
    work.complete = [EpochWork.EntryPlace(segment: 0, entry: try #require(segment.entry("a")))]
    // The journal has no room left either, and so nothing may be acknowledged.
    #expect(throws: TransferError.self) { try destination.commit(work) }
    #expect(try Directory.open(small.path).statusIfPresent(of: Array("a".utf8)) == nil)
  }

  @Test func aMountBelowTheRootIsSyncedToo() throws {
    guard let small = try Mount.small() else { return }
    let samples: [Sample] =
      [.root(), .directory("small"), .file("top", 10)]
      + (0..<20).map { .file("small/\($0)", 10 + $0) }
    var transfer = try TestTransfer(small.tree, TestDataset(samples))
    try transfer.run()
    #expect(transfer.failures.isEmpty)
    let again = try TestTransfer(small.tree, transfer.dataset)
    defer { again.destination.close() }
    #expect(try again.destination.compare(again.dataset.segments[0]).wanted.isEmpty)
    let policy = try #require(again.destination.writing).policy
    let root = try #require(again.destination.root)
    let mounted = OpenDirectory(
      directory: try Directory.open(small.path),
      device: try Directory.open(small.path).status(of: []).device
    )
    #expect(policy.syncsFileSystem(of: root, fileCount: 100) == policy.trustsFileSystem)
    #expect(!policy.syncsFileSystem(of: mounted, fileCount: 100))
    #expect(!policy.syncsFileSystem(of: root, fileCount: SyncPolicy.fewFiles))
    #expect(policy.needsOwnSync(mounted))
  }

  @Test func aFileSystemWithoutRoomForAFileSaysSoAtItsFirstWrite() throws {
    guard let small = try Mount.small("size=4m,nr_inodes=20") else { return }
    let samples: [Sample] = [.root()] + (10..<40).map { .file("\($0)", 10) }
    let dataset = TestDataset(samples)
    let destination = try Destination.open(
      root: small.path,
      topNames: [[]],
      session: 1,
      options: DestinationOptions(blockByteCount: TestDataset.blockByteCount)
    )
    defer { destination.close() }
    var transfer = TestTransfer(destination, dataset)
    let segment = dataset.segments[0]
    _ = try transfer.compareAndPrepare(segment)
    var failure: (any Error)?
    for extent in segment.extents.indices where failure == nil {
      do {
        #expect(try transfer.write(segment, extent), "no entry is to blame")
      } catch {
        failure = error
      }
    }
    #expect((failure as? SystemError)?.isAboutSpace == true)
    #expect(transfer.failures.isEmpty)
  }
}
