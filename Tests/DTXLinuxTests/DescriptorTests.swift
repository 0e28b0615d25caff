import DTXLinux
import Glibc
import Testing

@Suite struct DescriptorTests {
  /// Whether a read meets the end, which it does once all writing ends are closed.
  private func isAtEnd(_ reading: Int32) -> Bool {
    var byte: UInt8 = 0
    return read(reading, &byte, 1) == 0
  }

  @Test func aDescriptorClosesWithItsOwner() throws {
    var pipe = try Pipe()
    let reading = pipe.takeReading()
    do { _ = pipe.takeWriting() }
    #expect(isAtEnd(reading.raw))
  }

  @Test func aPipeClosesTheEndThatNobodyTook() throws {
    func takeReading() throws -> Descriptor {
      var pipe = try Pipe()
      return pipe.takeReading()
    }
    let reading = try takeReading()
    #expect(isAtEnd(reading.raw))
  }

  @Test func aDuplicateIsTheSameFileAndClosesOnExec() throws {
    var pipe = try Pipe()
    let reading = pipe.takeReading()
    let writing = pipe.takeWriting()
    let second = try writing.duplicate()
    #expect(second.raw != writing.raw)
    #expect(fcntl(second.raw, F_GETFD) & FD_CLOEXEC != 0)
    try writing.close()
    #expect(write(second.raw, "x", 1) == 1)
    var byte: UInt8 = 0
    #expect(read(reading.raw, &byte, 1) == 1)
    try second.close()
    #expect(isAtEnd(reading.raw))
  }

  @Test func aReleasedDescriptorStaysOpen() throws {
    var pipe = try Pipe()
    let number = pipe.takeWriting().release()
    #expect(fcntl(number, F_GETFD) >= 0)
    #expect(close(number) == 0)
  }

  @Test func copyingANumberThatIsNotOpenFails() {
    #expect(
      errorNumber { () throws(SystemError) in _ = try Descriptor.duplicate(of: 1_000_000) } == EBADF
    )
  }
}
