internal import DTXCore
internal import DTXLinux

/// Reads files that are here already, to learn what they hold.
///
/// One thread uses it.
struct ExtentDigester: ~Copyable {
  /// Read at a time: half of a common L2 cache, and of use to the disk's read-ahead.
  private static let pieceByteCount = 512 << 10

  private let buffer: UnsafeMutableRawBufferPointer
  private var state = StreamingDigest()

  init() {
    buffer = .allocate(byteCount: ExtentDigester.pieceByteCount, alignment: 4096)
  }

  deinit {
    buffer.deallocate()
  }

  /// The digest of an extent; nil when the file ends within it.
  mutating func digest(of extent: Extent, in file: File) throws(SystemError) -> Digest? {
    try digest(of: extent, in: .file(file))
  }

  /// The same of what need not be a file, nor read through the page cache.
  mutating func digest(of extent: Extent, in file: SourceBytes) throws(SystemError) -> Digest? {
    state.reset()
    var offset = extent.offset
    while offset < extent.end {
      let count = Int(min(UInt64(buffer.count), extent.end - offset))
      let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
      guard try file.read(into: piece, at: offset) == count else { return nil }
      state.update(UnsafeRawBufferPointer(piece))
      offset += UInt64(count)
    }
    return state.finish()
  }

  /// Whether a file reads as zeros wherever the source has holes.
  ///
  /// - Parameters:
  ///   - ranges: the source's data, ascending.
  ///   - file: what is here.
  ///   - byteCount: its length; nothing behind that is looked at.
  /// - Returns: false when there is data that the source does not have.
  /// - Throws: what lseek(2) and pread(2) say.
  mutating func isZero(
    outside ranges: [Range<UInt64>],
    in file: File,
    byteCount: UInt64
  ) throws(SystemError) -> Bool {
    guard ranges != [0..<byteCount], byteCount > 0 else { return true }
    var next = 0
    for data in try file.dataRanges(upTo: byteCount) {
      var offset = data.lowerBound
      while offset < data.upperBound {
        while next < ranges.count, ranges[next].upperBound <= offset { next += 1 }
        if next < ranges.count, ranges[next].contains(offset) {
          offset = ranges[next].upperBound
          continue
        }
        let end =
          next < ranges.count
          ? min(ranges[next].lowerBound, data.upperBound)
          : data.upperBound
        guard try isZero(offset..<end, in: file) else { return false }
        offset = end
      }
    }
    return true
  }

  private func isZero(_ range: Range<UInt64>, in file: File) throws(SystemError) -> Bool {
    var offset = range.lowerBound
    while offset < range.upperBound {
      let count = Int(min(UInt64(buffer.count), range.upperBound - offset))
      let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
      let filled = try file.read(into: piece, at: offset)
      if filled == 0 { return true }
      guard piece[..<filled].allSatisfy({ $0 == 0 }) else { return false }
      offset += UInt64(filled)
    }
    return true
  }
}
