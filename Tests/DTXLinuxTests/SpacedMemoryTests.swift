import DTXLinux
import Testing

@Suite struct SpacedMemoryTests {
  /// Reads go to the pieces and nowhere else, wherever they begin and end.
  @Test func readsFillPiecesAlone() throws {
    let bench = try Workbench()
    let content = (0..<200).map { UInt8(truncatingIfNeeded: $0 + 1) }
    let file = try bench.makeFile("file")
    try file.write(content, at: 0)
    for position in 0..<30 {
      for count in 0...(30 - position) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 45, alignment: 1)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        let base = try #require(memory.baseAddress)
        let pieces = SpacedMemory(base: base, pieceByteCount: 10, stride: 15, count: 3)
        let read = try file.read(into: pieces, from: position, byteCount: count, at: 7)
        #expect(read == count)
        var expected = [UInt8](repeating: 0, count: 45)
        for index in 0..<count {
          let place = position + index
          expected[place / 10 * 15 + place % 10] = content[7 + index]
        }
        #expect(Array(memory) == expected)
      }
    }
  }

  @Test func aFileThatEndsGivesLess() throws {
    let bench = try Workbench()
    let file = try bench.makeFile("file", "0123456789")
    let buffer = try PageBuffer(byteCount: 64)
    let base = try #require(buffer.pointer.baseAddress)
    let pieces = SpacedMemory(base: base, pieceByteCount: 4, stride: 8, count: 8)
    #expect(try file.read(into: pieces, from: 2, byteCount: 20, at: 3) == 7)
    #expect(try file.read(into: pieces, from: 0, byteCount: 4, at: 10) == 0)
  }

  @Test func theCacheHasWhatWasJustWritten() throws {
    let bench = try Workbench()
    let file = try bench.makeFile("file")
    try file.write([UInt8](repeating: 7, count: 1 << 20), at: 0)
    #expect(try file.cachedByteCount(offset: 0, length: 1 << 20) == 1 << 20)
    #expect(try file.cachedByteCount(offset: 0, length: 100) == 100)
    #expect(try file.cachedByteCount(offset: 0, length: 0) == 0)
  }
}
