import DTXCore
import Testing

@testable import DTXEngine

@Suite struct WriteUnitTests {
  static let record = RecordLayout.maximumPayloadByteCount

  /// Puts a payload into the unit, as a socket would, with a tag and padding of ones behind it.
  private func receive(_ payload: [UInt8], into unit: WriteUnit) {
    let place = unit.place(payload.count)
    #expect(place.count == RecordLayout.sealedByteCount(payloadByteCount: payload.count))
    place.copyBytes(from: payload + [UInt8](repeating: 0xFF, count: place.count - payload.count))
  }

  @Test func payloadsOfOneExtentMakeOnePiece() throws {
    let unit = try WriteUnit(byteCount: Self.record)
    let digest = Digest.xxh3(of: [1])
    for index in 0..<3 {
      receive([UInt8(index), UInt8(index)], into: unit)
      unit.keep(2, of: 4, at: UInt64(10 + 2 * index), digest: index == 2 ? digest : nil)
    }
    let piece = try #require(unit.pieces.first)
    #expect(unit.pieces.count == 1)
    #expect(piece.extent == 4 && piece.offset == 10 && piece.digest == digest)
    #expect(Array(unit.bytes(of: piece)) == [0, 0, 1, 1, 2, 2])
    #expect(unit.hasEnd)
  }

  @Test func onePayloadMayHoldSeveralExtents() throws {
    let unit = try WriteUnit(byteCount: Self.record)
    let digest = Digest.xxh3(of: [1])
    receive([1, 2, 3, 4, 5], into: unit)
    unit.keep(1, of: 0, at: 7, digest: digest)
    unit.keep(2, of: 1, at: 0, digest: digest)
    unit.keep(2, of: 2, at: 0, digest: nil)
    #expect(unit.pieces.map { Array(unit.bytes(of: $0)) } == [[1], [2, 3], [4, 5]])
    #expect(unit.pieces.map(\.offset) == [7, 0, 0])
    #expect(unit.pieces.map { $0.digest == nil } == [false, false, true])
  }

  @Test func whatNobodyKeepsLeavesItsRoom() throws {
    let unit = try WriteUnit(byteCount: Self.record)
    receive([UInt8](repeating: 9, count: Self.record), into: unit)
    #expect(unit.freeByteCount == Self.record)
    receive([1, 2], into: unit)
    unit.keep(2, of: 0, at: 0, digest: nil)
    #expect(unit.freeByteCount == Self.record - 2)
    #expect(Array(unit.bytes(of: unit.pieces[0])) == [1, 2])
  }

  @Test func aClearedUnitHasAllItsRoom() throws {
    let unit = try WriteUnit(byteCount: 2 * Self.record)
    for _ in 0..<3 {
      for index in 0..<2 {
        receive([UInt8](repeating: 9, count: Self.record), into: unit)
        unit.keep(Self.record, of: index, at: 0, digest: Digest.zero)
      }
      #expect(unit.freeByteCount == 0 && unit.hasEnd)
      unit.clear()
      #expect(unit.freeByteCount == 2 * Self.record && unit.pieces.isEmpty && !unit.hasEnd)
    }
  }

  @Test func anEmptyUnitBeginsWithAPage() throws {
    // Direct and large writes want to begin on a page.
    let unit = try WriteUnit(byteCount: Self.record)
    let start = try #require(unit.place(1).baseAddress)
    #expect(Int(bitPattern: start).isMultiple(of: 4096))
  }

  @Test func manyConnectionsShareTheMemory() {
    let budget = UnitShape.budgetByteCount
    for count in 1...3000 {
      let shape = UnitShape(connectionCount: count)
      #expect(shape.count > count, "one is always under way or free")
      #expect(shape.byteCount.isMultiple(of: Self.record))
      #expect(shape.byteCount == Self.record || shape.count * shape.byteCount <= budget)
    }
    let few = UnitShape(connectionCount: 4)
    #expect(few.byteCount == UnitShape.preferredByteCount)
  }
}
