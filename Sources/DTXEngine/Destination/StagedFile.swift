package import DTXCore
package import DTXLinux

extension Destination {
  /// Where a wanted extent's bytes go.
  package enum Staging: Sendable {
    case file(StagedFile)
    /// The entry cannot be written; its bytes are to be dropped.
    case failed(EntryFailure, String)
    /// Nothing is kept here: the bytes are to be dropped once they are digested.
    case discarded
  }

  /// A staged file while one of its extents is being written, by one thread at a time.
  package final class StagedFile: Sendable {
    let place: SegmentPlace
    let entry: Int
    /// The extent's bytes in the file.
    let range: Range<UInt64>
    /// The file, or why it cannot be had: then each write says so.
    let target: Target

    enum Target: Sendable {
      /// Written by this extent alone, and closed with it.
      case own(File, name: [UInt8], in: OpenDirectory)
      /// Written by others too; it stays open.
      case shared(SharedFile)
      case unavailable(SystemError)
      /// Kept in another file until its digest is known: the extent begins at this offset of it.
      case aside(File, at: UInt64)
    }

    init(_ place: SegmentPlace, entry: Int, range: Range<UInt64>, target: Target) {
      self.place = place
      self.entry = entry
      self.range = range
      self.target = target
    }

    /// Writes bytes at an offset in the file; they lie within the extent.
    ///
    /// - Throws: what pwrite(2) says. An error for which `isAboutDevice` holds ends the transfer,
    ///   any other one the entry.
    package func write(
      _ bytes: UnsafeRawBufferPointer,
      at offset: UInt64
    ) throws(SystemError) {
      check(bytes, at: offset)
      switch target {
      case .own(let file, _, _): try file.write(bytes, at: offset)
      case .shared(let shared): try shared.write(bytes, at: offset)
      case .unavailable(let error): throw error
      case .aside(let file, let start):
        try file.write(bytes, at: start + (offset - range.lowerBound))
      }
    }

    /// How the most of it is written.
    var access: StorageAccess {
      if case .shared(let shared) = target, shared.isDirect { return .direct }
      return .buffered
    }

    /// What of some bytes can be written past the page cache by another than `write`.
    ///
    /// - Parameters:
    ///   - bytes: lie within the extent.
    ///   - offset: of the first one in the file.
    /// - Returns: what `SharedFile.directPart` says; the file is not closed before `finish`.
    func directPart(
      of bytes: UnsafeRawBufferPointer,
      at offset: UInt64
    ) -> (file: File, byteCount: Int, granularity: Int)? {
      guard case .shared(let shared) = target else { return nil }
      check(bytes, at: offset)
      return shared.directPart(of: bytes, at: offset)
    }

    private func check(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) {
      precondition(offset >= range.lowerBound, "a write at \(offset), before its extent")
      precondition(
        UInt64(bytes.count) <= range.upperBound - min(offset, range.upperBound),
        "a write of \(bytes.count) bytes past its extent"
      )
    }
  }
}
