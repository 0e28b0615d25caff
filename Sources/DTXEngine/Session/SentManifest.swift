internal import DTXCore
internal import DTXLinux

/// The sender's copy of a manifest, in the user's state directory: never in the source.
///
/// Where that cannot be written the roots are computed all the same, and a notice says that no copy
/// was kept. Used by one worker's jobs, and by the control thread once these have ended.
final class SentManifest: @unchecked Sendable {
  // `@unchecked Sendable`: see above; jobs of one worker never overlap.
  private let name: [UInt8]
  private var writer: ManifestFileWriter?
  /// Where there is no copy: the roots alone.
  private var builder: RootBuilder
  private(set) var roots: Roots?
  private let directory: Directory?
  private let blockByteCount: UInt64
  private var isStored = false
  private var isBroken = false

  /// - Parameters:
  ///   - shape: names the copy while it is written.
  ///   - blockByteCount: the size that blocks are cut at.
  ///   - isKept: whether there is to be a copy at all; the roots are computed without one, too.
  init(shape: DatasetShape, blockByteCount: UInt64, isKept: Bool) {
    self.blockByteCount = blockByteCount
    var key = ByteWriter()
    for top in shape.isContents ? [[]] : shape.names { key.appendCounted(top) }
    name = Array("\(Digest.xxh3(of: key.bytes).hex(8))-\(Host.processID)".utf8)
    directory = isKept ? SentManifest.openDirectory() : nil
    builder = RootBuilder(
      header: ManifestHeader(blockByteCount: blockByteCount, rootAlgorithm: .sha256),
      hash: .sha256
    )
    if let directory {
      writer = try? ManifestFileWriter(partialName, in: directory, blockByteCount: blockByteCount)
    }
  }

  private var partialName: [UInt8] { name + Array(".partial".utf8) }

  func append(_ work: SealWork) {
    let part = ManifestSegment(
      work.segment,
      digests: work.digests,
      excluded: work.excluded,
      blockByteCount: blockByteCount
    )
    guard writer != nil else {
      _ = builder.add(part)
      return
    }
    // A copy that could not be written whole has the right roots all the same.
    do {
      _ = try writer?.add(part)
    } catch {
      isBroken = true
    }
  }

  func seal(_ done: (SendSession.Event) -> Void) {
    let sealed = writer?.summary.roots ?? builder.finish()
    roots = sealed
    done(.sealed(sealed))
  }

  /// Puts the copy in its place, named by its content root.
  func store() {
    guard let directory, let roots, let writer, !isBroken else { return }
    do {
      _ = try writer.finish()
      try writer.publish(as: Array("\(roots.full.hex(32)).manifest".utf8))
      try directory.sync()
      isStored = true
    } catch {
      self.writer = nil
    }
  }

  /// Puts the receipt beside the copy, under the same name.
  ///
  /// - Parameter bytes: all of it.
  /// - Returns: its path; nil where there is no copy.
  func store(receipt bytes: [UInt8]) -> [UInt8]? {
    guard isStored, let directory, let roots else { return nil }
    let name = Array("\(roots.full.hex(32)).receipt".utf8)
    do throws(SystemError) {
      try directory.replace(name, with: bytes, permissions: 0o600)
      return directory.path + Array("/".utf8) + name
    } catch {
      return nil
    }
  }

  /// Removes what a session that did not come to its end has written.
  func discard() {
    guard !isStored, let directory else { return }
    try? directory.unlink(partialName)
  }

  /// `$XDG_STATE_HOME/dtx/sent`, made if need be (XDG Base Directory Specification).
  private static func openDirectory() -> Directory? {
    guard let state = UserDirectory.state else { return nil }
    return try? UserDirectory.make(state + Array("/sent".utf8))
  }
}
