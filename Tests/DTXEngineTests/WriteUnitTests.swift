import DTXCore
import Testing

@testable import DTXEngine

@Suite struct WriteUnitTests {
  static let record = RecordLayout.maximumPayloadByteCount

  /// Puts a payload into the unit, as a socket would, with a tag of ones behind it.
  private func receive(_ payload: [UInt8], into unit: WriteUnit) {
    let place = unit.place(payload.count)
    #expect(place.count == payload.count + RecordLayout.tagByteCount)
    place.copyBytes(from: payload + [UInt8](repeating: 0xFF, count: RecordLayout.tagByteCount))
  }

  @Test func payloadsLieOneBehindAnother() throws {
    let unit = try WriteUnit(byteCount: Self.record)
    for first: UInt8 in [1, 2, 3] {
      receive([first, first, first], into: unit)
      unit.keep(3)
    }
    #expect(Array(unit.take()) == [1, 1, 1, 2, 2, 2, 3, 3, 3])
    #expect(unit.take().isEmpty)
  }

  @Test func whatIsTakenLeavesTheRestOfItsPayload() throws {
    let unit = try WriteUnit(byteCount: Self.record)
    receive([1, 2, 3, 4, 5, 6], into: unit)
    unit.keep(2)
    #expect(Array(unit.take()) == [1, 2])
    unit.pass(1)
    unit.keep(3)
    receive([7, 8], into: unit)
    unit.keep(2)
    #expect(Array(unit.take()) == [4, 5, 6, 7, 8])
  }

  @Test func anEmptyUnitHasAllItsRoom() throws {
    let unit = try WriteUnit(byteCount: 2 * Self.record)
    for _ in 0..<5 {
      for _ in 0..<2 {
        receive([UInt8](repeating: 9, count: Self.record), into: unit)
        unit.keep(Self.record)
      }
      #expect(unit.freeByteCount == 0)
      #expect(unit.take().count == 2 * Self.record)
    }
  }

  @Test func anEmptyUnitBeginsWithAPage() throws {
    // Direct and large writes want to begin on a page.
    let unit = try WriteUnit(byteCount: Self.record)
    receive([1], into: unit)
    unit.keep(1)
    let start = try #require(unit.take().baseAddress)
    #expect(Int(bitPattern: start).isMultiple(of: 4096))
  }

  @Test func manyConnectionsShareTheMemory() {
    #expect(WriteUnit.byteCount(connectionCount: 1) == WriteUnit.preferredByteCount)
    #expect(WriteUnit.byteCount(connectionCount: 4) == WriteUnit.preferredByteCount)
    #expect(WriteUnit.byteCount(connectionCount: 10_000) == Self.record)
    for count in 1...300 {
      let byteCount = WriteUnit.byteCount(connectionCount: count)
      #expect(byteCount.isMultiple(of: Self.record))
      #expect(byteCount * count <= 64 << 20 || byteCount == Self.record)
    }
  }
}
