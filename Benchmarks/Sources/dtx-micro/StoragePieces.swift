internal import DTXLinux

/// Units written past the page cache into a new file, as a connection at the receiver does it: by a
/// pool of threads, by a ring, and by a ring that holds the buffers.
enum StoragePieces {
  /// Times the pieces on a file system that takes direct writes.
  ///
  /// - Parameters:
  ///   - path: of a directory there.
  ///   - stopwatch: gets the results.
  /// - Throws: when it takes none.
  static func measure(in path: String, with stopwatch: inout Stopwatch) throws {
    let site = try Site(path)
    defer { site.remove() }
    let threads = try WorkerPool(name: "dtx-storage", threadCount: unitCount)
    stopwatch.time("write directly, pool", per: "unit", writeCount, unitByteCount: byteCount) {
      site.write { buffer, offset, done in
        threads.run {
          do {
            try site.file.write(UnsafeRawBufferPointer(buffer.pointer), at: offset)
          } catch {
            preconditionFailure("\(error)")
          }
          done()
        }
      }
    }
    threads.finish()
    for (name, slotCount) in [("ring", 0), ("ring that holds its buffers", unitCount)] {
      let ring = try Ring(name: "dtx-ring", depth: unitCount, slotCount: slotCount)
      stopwatch.time("write directly, \(name)", per: "unit", writeCount, unitByteCount: byteCount) {
        site.write { buffer, offset, done in
          let bytes = UnsafeRawBufferPointer(buffer.pointer)
          ring.write(bytes, in: buffer, to: site.file, at: offset) { outcome in
            guard case .success(byteCount) = outcome else { preconditionFailure("\(outcome)") }
            done()
          }
        }
      }
      ring.finish()
    }
  }

  private static let byteCount = 2 << 20
  /// Units of a connection that are under way at most.
  private static let unitCount = 2
  /// Units of a file.
  private static let writeCount = 128

  /// A file, and the memory that is written to it.
  private final class Site: Sendable {
    let file: File
    private let directory: Directory
    private let buffers: Pool<PageBuffer>
    private static let name = Array("dtx-micro.tmp".utf8)

    init(_ path: String) throws {
      directory = try Directory.open(Array(path.utf8))
      file = try directory.openFile(Site.name, .create, direct: true)
      var buffers: [PageBuffer] = []
      for _ in 0..<unitCount {
        let buffer = try PageBuffer(byteCount: byteCount)
        buffer.pointer.initializeMemory(as: UInt8.self, repeating: 7)
        buffers.append(buffer)
      }
      self.buffers = Pool(buffers)
    }

    /// Writes the whole file anew, each unit as soon as there is a buffer for it.
    func write(
      _ begin: (PageBuffer, _ offset: UInt64, _ done: @escaping @Sendable () -> Void) -> Void
    ) -> UInt64 {
      do {
        try file.setByteCount(0)
        try file.setByteCount(UInt64(writeCount * byteCount))
      } catch {
        preconditionFailure("\(error)")
      }
      for index in 0..<writeCount {
        let buffer = buffers.take()
        begin(buffer, UInt64(index * byteCount)) { [buffers] in buffers.give(buffer) }
      }
      let all = (0..<unitCount).map { _ in buffers.take() }
      for buffer in all { buffers.give(buffer) }
      return UInt64(writeCount)
    }

    func remove() {
      try? directory.unlink(Site.name)
    }
  }
}
