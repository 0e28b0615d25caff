internal import DTXCore
internal import DTXLinux

/// Reads what an epoch has synced from its device, before any of it counts.
///
/// Reads go past the page cache: by O_DIRECT where the file system has it, else after the cache has
/// let go of the range, which is looked at. A drive or a server may still answer from a cache of
/// its own; nothing on this side of the cable can tell.
///
/// The commit thread uses it.
struct EpochReadBack: ~Copyable {
  /// What came of it.
  struct Finding {
    /// Blocks that are not there as they came, ascending as they are in the epoch.
    var damaged: [BlockReference] = []
    /// Entries that nobody can read back.
    var failures: [FailedEntry] = []
  }

  private struct Place: Hashable {
    var segment: Int
    var extent: Int
  }

  private static let bufferByteCount = 1 << 20
  /// tmpfs and ramfs: statfs(2).
  private static let memoryTypes: [Int64] = [0x0102_1994, 0x8584_58F6]

  private let destination: Destination
  private let memory: SpacedMemory
  private var parents: StagedParents
  private var state = StreamingDigest()

  init(at destination: Destination) {
    self.destination = destination
    parents = StagedParents(at: destination)
    memory = SpacedMemory(
      base: .allocate(byteCount: EpochReadBack.bufferByteCount, alignment: 4096),
      pieceByteCount: EpochReadBack.bufferByteCount,
      stride: EpochReadBack.bufferByteCount,
      count: 1
    )
  }

  deinit {
    memory.base.deallocate()
  }

  /// Says why nothing can be read back from a file system's device; nil where it can.
  static func refusal(at root: Directory) -> String? {
    guard let type = try? root.fileSystemType(), memoryTypes.contains(type) else { return nil }
    return "it is in memory, and has no media to be read back from"
  }

  /// Reads an epoch.
  ///
  /// - Parameter work: all of it is synced.
  /// - Returns: what is not as it came.
  /// - Throws: what makes the transfer impossible. A device that cannot read what it has just
  ///   written is damage.
  mutating func read(_ work: EpochWork) throws(SystemError) -> Finding {
    var digests: [Place: Digest] = [:]
    digests.reserveCapacity(work.extents.count + work.singleExtents.count)
    for extents in [work.extents, work.singleExtents] {
      for extent in extents {
        digests[Place(segment: extent.segment, extent: extent.extent)] = extent.digest
      }
    }
    var finding = Finding()
    for block in work.blocks {
      let place = parents.place(of: StagedTable.Key(segment: block.segment, entry: 0))
      for index in place.segment.blocks[block.block].extents {
        let extent = place.segment.extents[index]
        let entry = Int(extent.entry)
        // Without a digest it was not wanted, or did not come.
        guard let digest = digests[Place(segment: block.segment, extent: index)],
          place.failure(of: entry) == nil
        else { continue }
        do throws(SystemError) {
          if try isIntact(extent, digest, of: entry, in: place) { continue }
          finding.damaged.append(block)
          break
        } catch {
          if error.endsTransfer { throw error }
          finding.failures.append(place.fail(entry, error))
        }
      }
    }
    return finding
  }

  private mutating func isIntact(
    _ extent: Extent,
    _ digest: Digest,
    of entry: Int,
    in place: SegmentPlace
  ) throws(SystemError) -> Bool {
    let key = StagedTable.Key(segment: place.segment.index, entry: entry)
    let directory = try parents.parent(of: key).directory
    let name = destination.stagedName.name(for: place.inventory.name(of: entry))
    do throws(SystemError) {
      let file = try directory.openFile(name, .read)
      return try self.digest(of: extent, in: file, name, directory) == digest
    } catch {
      guard error.isAboutMedium else { throw error }
      return false
    }
  }

  /// The digest of what the device has; nil where that is too short.
  private mutating func digest(
    of extent: Extent,
    in file: File,
    _ name: [UInt8],
    _ directory: Directory
  ) throws(SystemError) -> Digest? {
    let direct = DirectFile(of: file, name, in: directory, .read)
    let granularity = direct?.alignment.offset ?? 4096
    if direct == nil { try forget(extent, in: file, granularity) }
    state.reset()
    var offset = extent.offset
    while offset < extent.end {
      let lead = Int(offset % granularity)
      let count = Int(min(UInt64(memory.byteCount - lead), extent.end - offset))
      let whole = (lead + count + Int(granularity) - 1) / Int(granularity) * Int(granularity)
      let filled = try (direct?.file ?? file).read(
        into: memory,
        from: 0,
        byteCount: whole,
        at: offset - UInt64(lead),
        once: true
      )
      guard filled > lead else { return nil }
      let found = min(filled - lead, count)
      state.update(UnsafeRawBufferPointer(rebasing: memory[0, lead + found][lead...]))
      offset += UInt64(found)
    }
    return state.finish()
  }

  /// Lets the page cache go of an extent, and makes sure that it has.
  private func forget(
    _ extent: Extent,
    in file: File,
    _ granularity: UInt64
  ) throws(SystemError) {
    let start = extent.offset / granularity * granularity
    let length = (extent.end + granularity - 1) / granularity * granularity - start
    guard try file.dropCached(offset: start, length: length) else {
      throw SystemError.keptInMemory(file)
    }
  }
}
