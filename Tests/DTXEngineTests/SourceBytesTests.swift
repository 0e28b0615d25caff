import DTXCore
import DTXLinux
import Testing

@testable import DTXEngine

@Suite struct SourceBytesTests {
  /// A file of 1 MiB that is read past the page cache, though nothing is aligned as it would need.
  private func direct(_ tree: TestTree, _ content: [UInt8]) throws -> SourceBytes? {
    let name = Array("file".utf8)
    let directory = tree.root
    let file = try directory.openFile(name, .create)
    try file.write(content, at: 0)
    try file.sync()
    guard let opened = try? directory.openFile(name, .read, direct: true),
      let alignment = DirectAlignment(memory: 1, offset: 1)
    else { return nil }
    return .direct(DirectFile(file: opened, alignment: alignment), cached: file)
  }

  @Test func whatTheKernelDoesNotReadDirectlyComesThroughTheCache() throws {
    let tree = try TestTree()
    let content = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
    guard let source = try direct(tree, content) else { return }
    let buffer = try PageBuffer(byteCount: 300_000)
    for (start, count, offset) in [(1, 100_000, 3), (7, 65_536, 512), (0, 300_000, 700_001)] {
      let piece = UnsafeMutableRawBufferPointer(
        rebasing: buffer.pointer[start..<start + min(count, 300_000 - start)]
      )
      #expect(try source.read(into: piece, at: UInt64(offset)) == piece.count)
      #expect(piece.elementsEqual(content[offset..<offset + piece.count]))
    }
  }

  @Test(arguments: [0, 1, 511, 512, 4096, 100_000, 262_144, 300_000])
  func everyPlaceInAUnitIsReadTo(_ position: Int) throws {
    let tree = try TestTree()
    let content = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 29 &+ $0 >> 7) }
    let name = Array("file".utf8)
    let file = try tree.root.openFile(name, .create)
    try file.write(content, at: 0)
    try file.sync()
    let opened = DirectFile(of: file, name, in: tree.root, .read)
    let source = opened.map { SourceBytes.direct($0, cached: file) } ?? .file(file)
    let unit = try ReadUnit(byteCount: 1 << 20)
    if position > 0 { _ = unit.lay(ReadUnit.Part.sample(position, nil, at: 0, in: unit)) }
    let part = ReadUnit.Part.sample(600_000, source, at: 4096, in: unit)
    _ = unit.lay(part)
    #expect(unit.read(part) == nil)
    var found: [UInt8] = []
    for record in 0..<unit.recordCount { found += unit.payload(record) }
    #expect(found[position...].elementsEqual(content[4096..<604_096]))
  }
}
