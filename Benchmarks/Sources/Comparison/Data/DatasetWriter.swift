internal import CSynthesis
internal import Glibc

/// Makes a dataset's bytes, and compares files with them.
package struct DatasetWriter: ~Copyable {
  private let dataset: Dataset
  private let made: UnsafeMutableRawBufferPointer
  /// What was read back, to be compared.
  private let read: UnsafeMutableRawBufferPointer

  /// Small enough to stay in the cache between making and writing.
  private static let pieceByteCount = 256 << 10

  package init(_ dataset: Dataset) {
    self.dataset = dataset
    made = .allocate(byteCount: DatasetWriter.pieceByteCount, alignment: 64)
    read = .allocate(byteCount: DatasetWriter.pieceByteCount, alignment: 64)
  }

  deinit {
    made.deallocate()
    read.deallocate()
  }

  /// Makes a part of one file.
  ///
  /// - Parameters:
  ///   - index: the file's.
  ///   - offset: a multiple of 8.
  ///   - byteCount: a multiple of 8.
  /// - Returns: its bytes.
  package func bytes(of index: Int, at offset: Int, byteCount: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    bytes.withUnsafeMutableBytes { fill($0, of: index, at: offset) }
    return bytes
  }

  /// Writes the whole set below a directory that is there.
  package func write(below root: String) throws(HarnessError) {
    for directory in dataset.directories {
      let path = "\(root)/\(directory)"
      guard mkdir(path, 0o755) == 0 else { throw HarnessError("mkdir", path, errno) }
    }
    for index in 0..<dataset.fileCount {
      let path = "\(root)/\(dataset.path(of: index))"
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw HarnessError("open", path, errno) }
      defer { close(descriptor) }
      try eachPiece { offset, byteCount throws(HarnessError) in
        let piece = UnsafeMutableRawBufferPointer(rebasing: made[..<byteCount])
        fill(piece, of: index, at: offset)
        guard pwrite(descriptor, piece.baseAddress, byteCount, offset) == byteCount else {
          throw HarnessError("write", path, errno)
        }
      }
    }
  }

  /// Compares a copy's files with what they must be, byte by byte.
  ///
  /// - Returns: what is wrong with the first file that differs; nil when none does.
  package func difference(below root: String) -> String? {
    for index in 0..<dataset.fileCount {
      let path = "\(root)/\(dataset.path(of: index))"
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { return "\(dataset.path(of: index)) is missing" }
      defer { close(descriptor) }
      var differs = lseek(descriptor, 0, SEEK_END) != dataset.fileByteCount
      eachPiece { offset, byteCount in
        guard !differs else { return }
        fill(UnsafeMutableRawBufferPointer(rebasing: made[..<byteCount]), of: index, at: offset)
        differs =
          pread(descriptor, read.baseAddress, byteCount, offset) != byteCount
          || !startsEqual(byteCount)
      }
      if differs { return "\(dataset.path(of: index)) differs" }
    }
    return nil
  }

  /// Looks at a copy's files without reading them.
  ///
  /// - Returns: what is wrong with the first file of another length; nil when there is none.
  package func wrongLength(below root: String) -> String? {
    for index in 0..<dataset.fileCount {
      var status = stat()
      guard stat("\(root)/\(dataset.path(of: index))", &status) == 0 else {
        return "\(dataset.path(of: index)) is missing"
      }
      if status.st_size != dataset.fileByteCount {
        return "\(dataset.path(of: index)) has \(status.st_size) bytes"
      }
    }
    return nil
  }

  private func eachPiece<Failure: Error>(
    _ body: (_ offset: Int, _ byteCount: Int) throws(Failure) -> Void
  ) throws(Failure) {
    var offset = 0
    while offset < dataset.fileByteCount {
      let byteCount = min(made.count, dataset.fileByteCount - offset)
      try body(offset, byteCount)
      offset += byteCount
    }
  }

  private func startsEqual(_ byteCount: Int) -> Bool {
    guard let left = made.baseAddress, let right = read.baseAddress else { return false }
    return memcmp(left, right, byteCount) == 0
  }

  private func fill(_ bytes: UnsafeMutableRawBufferPointer, of index: Int, at offset: Int) {
    // Sequences of two files begin far apart: an odd factor spreads the index over all bits.
    let seed = dataset.seed &+ UInt64(index + 1) &* 0xd1b5_4a32_d192_ed03
    switch dataset.content {
    case .random: dtx_fill_random(bytes.baseAddress, bytes.count, seed, UInt64(offset))
    case .noise: dtx_fill_noise(bytes.baseAddress, bytes.count, seed, UInt64(offset))
    }
  }
}
