import DTXLinux
import Glibc
import Testing

@Suite struct FileTests {
  @Test func bytesComeBackFromTheirOffsets() throws {
    let bench = try Workbench()
    let file = try bench.makeFile("f")
    try file.write(bytes("world"), at: 6)
    try file.write(bytes("hello "), at: 0)
    #expect(try bench.content("f") == "hello world")
    #expect(try file.read(byteCount: 3, at: 4) == bytes("o w"))
    #expect(try file.read(byteCount: 100, at: 9) == bytes("ld"), "fewer at the end")
    #expect(try file.read(byteCount: 10, at: 1 << 40) == [])
    #expect(try file.read(byteCount: 0, at: 0) == [])
  }

  @Test func offsetsBeyondTheKernelsAreRefused() throws {
    let file = try Workbench().makeFile("f")
    #expect(errorNumber { () throws(SystemError) in try file.write([1], at: .max) } == EFBIG)
    #expect(
      errorNumber { () throws(SystemError) in _ = try file.read(byteCount: 1, at: 1 << 63) }
        == EFBIG
    )
  }

  @Test func appendingGoesToTheEndFromEveryOpening() throws {
    let bench = try Workbench()
    let first = try bench.root.openFile(bytes("f"), .append)
    let second = try bench.root.openFile(bytes("f"), .append)
    try first.append(bytes("a"))
    try second.append(bytes("b"))
    try first.append(bytes("c"))
    #expect(try bench.content("f") == "abc")
    #expect(try first.read(byteCount: 9, at: 1) == bytes("bc"))
  }

  @Test func theModesCreateWhatTheySay() throws {
    let bench = try Workbench()
    let root = bench.root
    let missing = bytes("f")
    for mode in [OpenMode.read, .readWrite] {
      let number = errorNumber { () throws(SystemError) in _ = try root.openFile(missing, mode) }
      #expect(number == ENOENT)
    }
    let file = try root.openFile(missing, .createExclusive, permissions: 0o640)
    #expect(try file.status().mode & 0o077 & ~0o040 == 0)
    let again = errorNumber { () throws(SystemError) in
      _ = try root.openFile(missing, .createExclusive)
    }
    #expect(again == EEXIST)
    try file.write(bytes("kept"), at: 0)
    _ = try root.openFile(missing, .create)
    #expect(try bench.content("f") == "kept")
    let reading = try root.openFile(missing, .read)
    #expect(errorNumber { () throws(SystemError) in try reading.write([1], at: 0) } == EBADF)
  }

  @Test func aClosedFileIsClosedOnceAndRefusesUse() throws {
    let bench = try Workbench()
    let file = try bench.makeFile("f")
    try file.close()
    try file.close()
    #expect(file.raw == -1)
    #expect(errorNumber { () throws(SystemError) in try file.sync() } == EBADF)
  }

  @Test func sizesAreSet() throws {
    let bench = try Workbench()
    let file = try bench.makeFile("f", "0123456789")
    try file.setByteCount(4)
    #expect(try bench.content("f") == "0123")
    try file.setByteCount(1 << 20)
    #expect(try file.status().byteCount == 1 << 20)
    try file.startWriteOut(offset: 0, length: 0)
    try file.syncData()
    try file.sync()
    file.advise(.dontNeed)
  }

  @Test func holesAreToldFromData() throws {
    let bench = try Workbench()
    let file = try bench.makeFile("f")
    let piece = [UInt8](repeating: 1, count: 65_536)
    let size: UInt64 = 4 << 20
    try file.setByteCount(size)
    #expect(try file.dataRanges(upTo: size).reduce(0) { $0 + $1.count } < Int(size))
    try file.write(piece, at: 1 << 20)
    try file.write(piece, at: size - 65_536)
    let ranges = try file.dataRanges(upTo: size)
    // A file system may count more as data, but never less.
    for offset: UInt64 in [1 << 20, (1 << 20) + 65_535, size - 65_536, size - 1] {
      #expect(ranges.contains { $0.contains(offset) }, "\(offset)")
    }
    #expect(ranges.allSatisfy { !$0.isEmpty && $0.upperBound <= size })
    #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
    #expect(try file.dataRanges(upTo: (1 << 20) + 10).last?.upperBound == (1 << 20) + 10)
    #expect(try file.dataRanges(upTo: 0) == [])
    #expect(try file.dataRanges(upTo: 1 << 40).last?.upperBound ?? 0 <= size)
  }

  @Test func aLockExcludesOtherOpenings() throws {
    let bench = try Workbench()
    let first = try bench.makeFile("f")
    let second = try bench.root.openFile(bytes("f"), .readWrite)
    #expect(try first.lock(.exclusive))
    #expect(try !second.lock(.exclusive))
    #expect(try !second.lock(.shared))
    try first.unlock()
    #expect(try second.lock(.shared))
    #expect(try first.lock(.shared))
    try first.close()
    #expect(try second.lock(.exclusive))
  }

  @Test func attributesAreSetThroughTheFile() throws {
    let file = try Workbench().makeFile("f")
    try file.setMode(0o2705)
    try file.setTimes(modified: 1_000_000_001)
    let status = try file.status()
    #expect(status.mode == 0o2705 && status.modified == 1_000_000_001)
    try file.setOwner(user: status.userID, group: status.groupID)
  }

  @Test func aUsersPathIsOpenedThroughLinks() throws {
    let bench = try Workbench()
    try bench.makeFile("f", "x")
    try bench.root.makeSymlink(bytes("l"), target: bytes("f"))
    #expect(try File.open(bench.path + bytes("/l"), .read).read(byteCount: 9, at: 0) == bytes("x"))
  }

  @Test func directReadsTakeAlignedBuffers() throws {
    let bench = try Workbench()
    try bench.makeFile("f", String(repeating: "x", count: 8192)).sync()
    guard let file = try? bench.root.openFile(bytes("f"), .read, direct: true) else {
      return  // tmpfs of older kernels refuses O_DIRECT.
    }
    let buffer = try PageBuffer(byteCount: 8192)
    #expect(try file.read(into: buffer.pointer, at: 0) == 8192)
    #expect(buffer.pointer.allSatisfy { $0 == UInt8(ascii: "x") })
  }
}
