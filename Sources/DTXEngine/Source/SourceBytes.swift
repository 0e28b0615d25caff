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
  /// - Returns: how many bytes there were; fewer only at a file's end.
  /// - Throws: what preadv(2) says.
  func read(
    into memory: SpacedMemory,
    from position: Int,
    byteCount: Int,
    at offset: UInt64
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
    case .direct(let direct, let other):
      cached = other
      filled = try readDirectly(direct, into: memory, from: position, byteCount, at: offset)
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

  /// Reads past the page cache, if memory and file allow it, by one system call.
  ///
  /// - Returns: how many of the bytes came, perhaps none.
  private func readDirectly(
    _ direct: DirectFile,
    into memory: SpacedMemory,
    from position: Int,
    _ byteCount: Int,
    at offset: UInt64
  ) throws(SystemError) -> Int {
    let alignment = direct.alignment
    let count = alignment.roundedUp(byteCount)
    guard position + count <= memory.byteCount,
      alignment.fits(memory.address(of: position), at: offset),
      // Kernels before 6.18 ask the length of each part of a read to be aligned, not only of all.
      (memory.pieceByteCount - position % memory.pieceByteCount).isMultiple(
        of: Int(alignment.offset)
      )
    else { return 0 }
    do throws(SystemError) {
      let read = try direct.file.read(
        into: memory,
        from: position,
        byteCount: count,
        at: offset,
        once: true
      )
      return min(read, byteCount)
    } catch {
      // Some file systems take the opening and refuse the read.
      guard error.isAboutArgument else { throw error }
      return 0
    }
  }
}
