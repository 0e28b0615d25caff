import DTXLinux
import Testing

@Suite struct DirectAlignmentTests {
  @Test func zeroMeansThatThereIsNone() {
    #expect(DirectAlignment(memory: 0, offset: 0) == nil)
    #expect(DirectAlignment(memory: 512, offset: 0) == nil)
    #expect(DirectAlignment(memory: 0, offset: 512) == nil)
  }

  @Test func whatIsNoPowerOfTwoIsNone() {
    #expect(DirectAlignment(memory: 4096, offset: 20_480) == nil)
    #expect(DirectAlignment(memory: 520, offset: 4096) == nil)
    #expect(DirectAlignment(memory: 4, offset: 4096) != nil)
  }

  @Test func theAlignedFrontOfAPieceIsDirect() throws {
    let alignment = try #require(DirectAlignment(memory: 4, offset: 512))
    let buffer = try PageBuffer(byteCount: 8192)
    func count(from start: Int, _ byteCount: Int, at offset: UInt64) -> Int {
      let piece = buffer.pointer[start..<start + byteCount]
      return alignment.directByteCount(of: UnsafeRawBufferPointer(rebasing: piece), at: offset)
    }
    #expect(count(from: 0, 4096, at: 0) == 4096)
    #expect(count(from: 4, 4097, at: 1024) == 4096)
    #expect(count(from: 0, 511, at: 0) == 0)
    #expect(count(from: 2, 4096, at: 0) == 0)
    #expect(count(from: 0, 4096, at: 100) == 0)
  }

  /// Whether temporary files lie where direct writes are possible.
  private static let isPossible: Bool = {
    guard let bench = try? Workbench(), let file = try? bench.makeFile("file") else { return false }
    return (try? file.directAlignment()) != nil
  }()

  @Test(.enabled(if: isPossible, "temporary files take no direct writes here"))
  func aFileThatSaysHowTakesDirectWrites() throws {
    let bench = try Workbench()
    let file = try bench.makeFile("file")
    let alignment = try #require(try file.directAlignment())
    let direct = try bench.root.openFile(bytes("file"), .readWrite, direct: true)
    let buffer = try PageBuffer(byteCount: 2 * max(4096, Int(alignment.offset)))
    for index in 0..<buffer.byteCount { buffer.pointer[index] = UInt8(truncatingIfNeeded: index) }
    let written = UnsafeRawBufferPointer(buffer.pointer)
    #expect(alignment.directByteCount(of: written, at: 0) == written.count)
    try direct.write(written, at: 0)
    #expect(try file.read(byteCount: written.count, at: 0) == Array(written))
  }
}
