import DTXLinux
import Glibc
import Testing

@Suite struct RingTests {
  /// What the completions said, by a number of the test's.
  private final class Outcomes: Sendable {
    private let found = Guarded<[Int: Result<Int, SystemError>]>([:])

    func completion(_ number: Int) -> Ring.Completion {
      { [found] outcome in found.withLockAndSignal { $0[number] = outcome } }
    }

    func wait(for number: Int) throws -> Result<Int, SystemError> {
      try #require(found.wait(until: { $0[number] }, deadline: soon()))
    }

    var count: Int { found.withLock { $0.count } }
  }

  /// A pipe as a file: it takes as much as it has room for, and no more until it is read.
  private struct PipedFile {
    let reading: File
    let writing: File

    init() throws {
      var pipe = try Pipe()
      reading = File(path: bytes("reading"), owning: pipe.takeReading())
      writing = File(path: bytes("writing"), owning: pipe.takeWriting())
    }

    /// Reads so many bytes, however they come.
    func drain(_ byteCount: Int) -> Int {
      var buffer = [UInt8](repeating: 0, count: 65_536)
      var done = 0
      while done < byteCount {
        let count = Glibc.read(reading.raw, &buffer, min(buffer.count, byteCount - done))
        if count <= 0 { break }
        done += count
      }
      return done
    }
  }

  private static func ring(depth: Int, slotCount: Int = 0) throws -> Ring {
    try Ring(name: "test-ring", depth: depth, slotCount: slotCount)
  }

  private static func memory(_ buffer: PageBuffer) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(buffer.pointer)
  }

  /// More is given than fits among what is under way, and more buffers than the ring may hold.
  @Test(arguments: [0, 3, 64])
  func threadsWriteSideBySide(_ slotCount: Int) throws {
    let bench = try Workbench()
    let file = try bench.makeFile("f")
    let ring = try Self.ring(depth: 4, slotCount: slotCount)
    let done = Guarded(0)
    let threads = try (0..<8).map { index in
      let buffer = try PageBuffer(byteCount: 512)
      buffer.pointer.initializeMemory(as: UInt8.self, repeating: UInt8(index + 1))
      return try Thread(name: "user \(index)") {
        for turn in 0..<1_250 {
          let offset = UInt64((turn * 8 + index) * 512)
          ring.write(Self.memory(buffer), in: buffer, to: file, at: offset) { outcome in
            if case .success(512) = outcome { done.withLock { $0 += 1 } }
          }
        }
      }
    }
    for thread in threads { thread.join() }
    ring.finish()
    #expect(ring.isPlain == (slotCount == 0))
    #expect(done.withLock { $0 } == 10_000)
    let content = try file.read(byteCount: 10_000 * 512 + 1, at: 0)
    try #require(content.count == 10_000 * 512)
    for place in 0..<10_000 {
      let expected = UInt8(place % 8 + 1)
      let isWhole = content[(place * 512)..<(place * 512 + 512)].allSatisfy { $0 == expected }
      if !isWhole { Issue.record("place \(place) is not as it was written") }
    }
  }

  @Test(arguments: [0, 1])
  func aWriteThatIsCutShortIsGoneOnWith(_ slotCount: Int) throws {
    let pipe = try PipedFile()
    let ring = try Self.ring(depth: 1, slotCount: slotCount)
    let outcomes = Outcomes()
    let buffer = try PageBuffer(byteCount: 1 << 20)
    ring.write(
      Self.memory(buffer),
      in: buffer,
      to: pipe.writing,
      at: 0,
      completion: outcomes.completion(1)
    )
    #expect(pipe.drain(1 << 20) == 1 << 20)
    #expect(try outcomes.wait(for: 1) == .success(1 << 20))
    ring.finish()
  }

  @Test func whatCannotBeGoneOnWithIsHandedBack() throws {
    let pipe = try PipedFile()
    let ring = try Self.ring(depth: 1)
    let outcomes = Outcomes()
    let buffer = try PageBuffer(byteCount: 1 << 20)
    // The pipe takes a part, behind which the next write would not be aligned.
    ring.write(
      Self.memory(buffer),
      in: buffer,
      to: pipe.writing,
      at: 0,
      granularity: 1 << 20,
      completion: outcomes.completion(1)
    )
    let written = try outcomes.wait(for: 1).get()
    #expect(written > 0 && written < 1 << 20)
    #expect(pipe.drain(written) == written)
    ring.finish()
  }

  @Test(arguments: [0, 1])
  func whatCannotBeWrittenSaysWhy(_ slotCount: Int) throws {
    let bench = try Workbench()
    let file = try bench.makeFile("f", "content")
    let reading = try bench.root.openFile(bytes("f"), .read)
    let full = try File.open(bytes("/dev/full"), .readWrite)
    let ring = try Self.ring(depth: 2, slotCount: slotCount)
    let outcomes = Outcomes()
    try file.close()
    let buffer = try PageBuffer(byteCount: 4096)
    let cases: [(File, UInt64, Int32)] = [
      (file, 0, EBADF), (reading, 0, EBADF), (full, 0, ENOSPC), (reading, .max, EFBIG),
      (reading, 1 << 63, EFBIG), (reading, (1 << 63) - 2, EFBIG),
    ]
    for (number, (bad, offset, errno)) in cases.enumerated() {
      ring.write(
        Self.memory(buffer),
        in: buffer,
        to: bad,
        at: offset,
        completion: outcomes.completion(number)
      )
      guard case .failure(let error) = try outcomes.wait(for: number) else {
        Issue.record("a write to a file that takes none")
        continue
      }
      #expect(error.number == errno && error.operation == "write")
      #expect(error.subject == printable(bad.path))
    }
    ring.finish()
  }

  @Test func aRingThatIsFinishedWaitsForWhatItHas() throws {
    let pipe = try PipedFile()
    let ring = try Self.ring(depth: 2)
    let outcomes = Outcomes()
    let buffer = try PageBuffer(byteCount: 1 << 20)
    for number in 0..<5 {
      ring.write(
        Self.memory(buffer),
        in: buffer,
        to: pipe.writing,
        at: 0,
        completion: outcomes.completion(number)
      )
    }
    let call = try BlockedCall(in: futexCalls) { ring.finish() }
    #expect(outcomes.count == 0)
    #expect(pipe.drain(5 << 20) == 5 << 20)
    try call.result()
    #expect(outcomes.count == 5)
    ring.finish()
  }

  /// Whoever drops a ring need not wait for it, and may be its own thread.
  @Test func aRingThatNobodyWaitsForDoesItsWork() throws {
    let pipe = try PipedFile()
    let outcomes = Outcomes()
    for number in 0..<20 {
      let ring = try Self.ring(depth: 1, slotCount: 1)
      let buffer = try PageBuffer(byteCount: 1 << 20)
      ring.write(Self.memory(buffer), in: buffer, to: pipe.writing, at: 0) { [ring] outcome in
        withExtendedLifetime(ring) { outcomes.completion(number)(outcome) }
      }
    }
    #expect(pipe.drain(20 << 20) == 20 << 20)
    for number in 0..<20 { #expect(try outcomes.wait(for: number) == .success(1 << 20)) }
  }

  @Test func piecesAreReadApart() throws {
    let bench = try Workbench()
    let file = try bench.makeFile("f")
    let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    try file.write(content, at: 0)
    let ring = try Self.ring(depth: 2, slotCount: 1)
    let outcomes = Outcomes()
    let buffer = try PageBuffer(byteCount: 5 * 9_000)
    let base = try #require(buffer.pointer.baseAddress)
    let pieces = SpacedMemory(base: base + 100, pieceByteCount: 8_000, stride: 9_000, count: 4)
    for (number, (range, offset)) in [(5..<30_000, 77), (0..<32_000, 90_000)].enumerated() {
      ring.read(
        into: pieces,
        in: buffer,
        range: range,
        of: file,
        at: UInt64(offset),
        completion: outcomes.completion(number)
      )
      let count = min(range.count, content.count - offset)
      #expect(try outcomes.wait(for: number) == .success(count))
      var found: [UInt8] = []
      pieces.forEachPart(from: range.lowerBound, byteCount: count) { part, _ in found += part }
      #expect(found == Array(content[offset..<offset + count]))
    }
    try file.close()
    ring.read(into: pieces, in: buffer, range: 0..<1, of: file, at: 0) { outcome in
      outcomes.completion(9)(outcome)
    }
    guard case .failure(let error) = try outcomes.wait(for: 9) else {
      Issue.record("a read of a closed file")
      return
    }
    #expect(error.number == EBADF && error.operation == "read")
    ring.finish()
  }
}
