import Comparison
import Testing

@Suite struct DiskHistoryTests {
  private static let sector = DiskHistory.sectorByteCount

  @Test func whatWasFlushedIsThereAfterEveryCut() {
    var lot = Lot(seed: 1)
    var disk = DiskHistory(byteCount: 8 * Self.sector)
    for value in 1...8 as ClosedRange<UInt8> {
      let bytes = [UInt8](repeating: value, count: Self.sector)
      disk.write(bytes[...], at: (Int(value) - 1) * Self.sector)
    }
    disk.flush()
    #expect(disk.operationCount == 9)
    for _ in 0..<20 {
      let (bytes, lostCount) = disk.cut(by: &lot)
      #expect(bytes == disk.current)
      #expect(lostCount == 0)
    }
  }

  @Test func ofWhatWasNotFlushedEachSectorIsThereOrNot() {
    var lot = Lot(seed: 2)
    var disk = DiskHistory(byteCount: 4 * Self.sector)
    let old = [UInt8](repeating: 1, count: 4 * Self.sector)
    disk.write(old[...], at: 0)
    disk.flush()
    disk.write([UInt8](repeating: 2, count: 4 * Self.sector)[...], at: 0)
    disk.write([UInt8](repeating: 3, count: Self.sector)[...], at: Self.sector)
    var seen: [Set<UInt8>] = [[], [], [], []]
    var lostCounts: Set<Int> = []
    for _ in 0..<400 {
      let (bytes, lostCount) = disk.cut(by: &lot)
      lostCounts.insert(lostCount)
      for index in 0..<4 {
        let sector = bytes[index * Self.sector..<(index + 1) * Self.sector]
        // No sector is half old and half new.
        #expect(Set(sector).count == 1)
        seen[index].insert(bytes[index * Self.sector])
      }
    }
    #expect(seen == [[1, 2], [1, 2, 3], [1, 2], [1, 2]])
    #expect(lostCounts == [0, 1, 2, 3, 4, 5])
    #expect(disk.current[0] == 2 && disk.current[Self.sector] == 3)
  }

  @Test func whatLiesBeyondTheEndIsLeftOut() {
    var disk = DiskHistory(byteCount: Self.sector)
    disk.write([UInt8](repeating: 9, count: Self.sector)[...], at: Self.sector / 2)
    disk.write([9], at: 3 * Self.sector)
    #expect(disk.current.count == Self.sector)
    #expect(disk.current.last == 9)
  }

  @Test func theSameLotLosesTheSame() {
    var disk = DiskHistory(byteCount: 64 * Self.sector)
    disk.write([UInt8](repeating: 5, count: 64 * Self.sector)[...], at: 0)
    var first = Lot(seed: 9)
    var second = Lot(seed: 9)
    for _ in 0..<10 { #expect(disk.cut(by: &first).bytes == disk.cut(by: &second).bytes) }
  }
}
