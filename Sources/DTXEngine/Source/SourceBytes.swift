internal import DTXLinux

/// Where the bytes of a source file come from.
enum SourceBytes {
  case file(File)
  /// The same file opened twice: past the page cache, and through it for what is not aligned.
  case direct(DirectFile, cached: File)
  /// The file with this number in a dataset that is made up.
  case made(NullContent, file: UInt64)

  /// Reads up to the piece's length.
  ///
  /// - Parameters:
  ///   - piece: where the bytes go.
  ///   - offset: of the first one in the file.
  /// - Returns: how many bytes there were; fewer than the piece has only at a file's end.
  /// - Throws: what pread(2) says.
  func read(
    into piece: UnsafeMutableRawBufferPointer,
    at offset: UInt64
  ) throws(SystemError) -> Int {
    guard let base = piece.baseAddress else { return 0 }
    let memory = SpacedMemory(
      base: base,
      pieceByteCount: piece.count,
      stride: piece.count,
      count: 1
    )
    return try read(into: memory, from: 0, byteCount: piece.count, at: offset)
  }

  /// Reads up to a number of bytes into spaced memory.
  ///
  /// - Parameters:
  ///   - memory: where the bytes go; behind the last one more may be overwritten, as far as a
  ///     direct read has to go and its piece reaches.
  ///   - position: the first byte that is read into, counted over all pieces.
  ///   - byteCount: how many, at most to the last piece's end.
  ///   - offset: of the first byte in the file.
  ///   - direct: what became of the direct read, where somebody has done it already.
  /// - Returns: how many bytes there were; fewer only at a file's end.
  /// - Throws: what preadv(2) says.
  func read(
    into memory: SpacedMemory,
    from position: Int,
    byteCount: Int,
    at offset: UInt64,
    direct: Result<Int, SystemError>? = nil
  ) throws(SystemError) -> Int {
    let cached: File
    var filled = 0
    switch self {
    case .file(let file):
      cached = file
    case .made(let content, let file):
      memory.forEachPart(from: position, byteCount: byteCount) { part, done in
        content.fill(part, file: file, at: offset + UInt64(done))
      }
      return byteCount
    case .direct(_, let other):
      cached = other
      let read = direct ?? readDirectly(into: memory, from: position, byteCount, at: offset)
      filled = try SourceBytes.count(of: read, atMost: byteCount)
    }
    // At the file's end this finds nothing; what a direct read did not do is found here.
    return try filled
      + cached.read(
        into: memory,
        from: position + filled,
        byteCount: byteCount - filled,
        at: offset + UInt64(filled)
      )
  }

  /// What can be read past the page cache by one call.
  ///
  /// - Parameters:
  ///   - memory: where the bytes go.
  ///   - position: the first byte that is read into, counted over all pieces.
  ///   - byteCount: how many are wanted.
  ///   - offset: of the first one in the file.
  /// - Returns: the file to read, and the places in memory, which may go beyond what is wanted; nil
  ///   where memory or file do not allow it.
  func directPart(
    of memory: SpacedMemory,
    from position: Int,
    byteCount: Int,
    at offset: UInt64
  ) -> (file: File, range: Range<Int>)? {
    guard case .direct(let direct, _) = self else { return nil }
    let alignment = direct.alignment
    let count = alignment.roundedUp(byteCount)
    guard position + count <= memory.byteCount,
      alignment.fits(memory.address(of: position), at: offset),
      // Kernels before 6.18 ask the length of each part of a read to be aligned, not only of all.
      (memory.pieceByteCount - position % memory.pieceByteCount).isMultiple(
        of: Int(alignment.offset)
      )
    else { return nil }
    return (direct.file, position..<position + count)
  }

  /// Reads past the page cache, if memory and file allow it.
  private func readDirectly(
    into memory: SpacedMemory,
    from position: Int,
    _ byteCount: Int,
    at offset: UInt64
  ) -> Result<Int, SystemError> {
    guard let part = directPart(of: memory, from: position, byteCount: byteCount, at: offset) else {
      return .success(0)
    }
    do throws(SystemError) {
      let count = try part.file.read(
        into: memory,
        from: position,
        byteCount: part.range.count,
        at: offset,
        once: true
      )
      return .success(count)
    } catch {
      return .failure(error)
    }
  }

  /// How many of the bytes a direct read has brought, perhaps none.
  private static func count(
    of read: Result<Int, SystemError>,
    atMost byteCount: Int
  ) throws(SystemError) -> Int {
    switch read {
    case .success(let count): return min(count, byteCount)
    case .failure(let error):
      // Some file systems take the opening and refuse the read.
      guard error.isAboutArgument else { throw error }
      return 0
    }
  }
}
