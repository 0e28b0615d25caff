internal import DTXLinux

/// The bytes of a null dataset's files: a function of file and offset, cheap and not all alike.
///
/// A piece is copied from 256 KiB of noise that stay in the processor's cache, and each page of
/// 4 KiB begins with its number, so that no two pages of a dataset are the same. Neither a
/// compressor of records nor a file system that shares equal blocks or makes holes of zeros gains
/// by it; a compressor that looks back further than 256 KiB would.
///
/// Used by one thread at a time.
final class NullContent {
  private static let byteCount = 256 << 10
  private static let pageByteCount = 4096
  /// Pages of a file, by which pages of all files are numbered.
  private static let filePageCount: UInt64 = 1 << 18

  private let noise: PageBuffer

  init() throws(SystemError) {
    noise = try PageBuffer(byteCount: NullContent.byteCount)
    // SplitMix64 with a fixed seed: a resend must have the same bytes, on any machine.
    var state: UInt64 = 0
    for offset in stride(from: 0, to: NullContent.byteCount, by: 8) {
      state &+= 0x9e37_79b9_7f4a_7c15
      var word = state
      word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
      word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
      let value = (word ^ word >> 31).littleEndian
      noise.pointer.storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
    }
  }

  /// Makes up a piece of a file.
  ///
  /// - Parameters:
  ///   - piece: where its bytes go.
  ///   - file: the file's number in the dataset.
  ///   - offset: where in the file the piece begins.
  func fill(_ piece: UnsafeMutableRawBufferPointer, file: UInt64, at offset: UInt64) {
    copyNoise(to: piece, at: offset)
    let pageByteCount = UInt64(NullContent.pageByteCount)
    let end = offset + UInt64(piece.count)
    var page = offset / pageByteCount
    while page * pageByteCount < end {
      number(page, of: file, in: piece, at: offset)
      page += 1
    }
  }

  private func copyNoise(to piece: UnsafeMutableRawBufferPointer, at offset: UInt64) {
    var done = 0
    while done < piece.count {
      let start = Int((offset + UInt64(done)) % UInt64(NullContent.byteCount))
      let count = min(piece.count - done, NullContent.byteCount - start)
      UnsafeMutableRawBufferPointer(rebasing: piece[done..<done + count])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: noise.pointer[start..<start + count]))
      done += count
    }
  }

  /// Writes a page's number over its first eight bytes, as far as they lie within the piece.
  private func number(
    _ page: UInt64,
    of file: UInt64,
    in piece: UnsafeMutableRawBufferPointer,
    at offset: UInt64
  ) {
    let number = file * NullContent.filePageCount + page
    let start = page * UInt64(NullContent.pageByteCount)
    for index in 0..<UInt64(8) {
      let place = start + index
      guard place >= offset, place - offset < UInt64(piece.count) else { continue }
      piece[Int(place - offset)] = UInt8(truncatingIfNeeded: number >> (8 * index))
    }
  }
}
