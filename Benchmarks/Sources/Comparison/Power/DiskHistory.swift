/// What a disk was told, so that it can be shown as a loss of power would leave it.
///
/// A disk owes what it had taken when it last answered a flush. Of what came later each sector may
/// be there or not, whatever became of its neighbours, for a disk with a cache writes in any order.
package struct DiskHistory {
  /// What a disk writes whole or not at all: its physical sector.
  ///
  /// With less, file systems tear themselves: ext4's superblock has 1024 bytes and that of btrfs 4096,
  /// both are written in place, and half of one does not mount.
  package static let sectorByteCount = 4096

  private struct Write {
    var offset: Int
    var bytes: [UInt8]
  }

  /// All that was written.
  package private(set) var current: [UInt8]
  /// All that was written before the latest flush.
  private var durable: [UInt8]
  private var pending: [Write] = []
  /// Writes and flushes so far.
  package private(set) var operationCount = 0

  /// Begins with a disk of zeros.
  package init(byteCount: Int) {
    precondition(byteCount.isMultiple(of: DiskHistory.sectorByteCount), "a disk of whole sectors")
    current = [UInt8](repeating: 0, count: byteCount)
    durable = current
  }

  /// Takes a write.
  ///
  /// - Parameters:
  ///   - bytes: what is written.
  ///   - offset: where; what lies beyond the end is left out.
  package mutating func write(_ bytes: ArraySlice<UInt8>, at offset: Int) {
    operationCount += 1
    let kept = Array(bytes.prefix(max(0, current.count - offset)))
    guard !kept.isEmpty else { return }
    DiskHistory.copy(kept[...], to: &current, at: offset)
    pending.append(Write(offset: offset, bytes: kept))
  }

  /// Takes a flush: what came before is safe.
  package mutating func flush() {
    operationCount += 1
    for write in pending { DiskHistory.copy(write.bytes[...], to: &durable, at: write.offset) }
    pending.removeAll(keepingCapacity: true)
  }

  /// The disk as a loss of power leaves it now.
  ///
  /// - Parameter lot: decides which sectors of what was not flushed are there.
  /// - Returns: all of its bytes, and how many sectors were lost.
  package func cut(by lot: inout some RandomNumberGenerator) -> (bytes: [UInt8], lostCount: Int) {
    var bytes = durable
    var lostCount = 0
    // None, some or all of it: each happens to disks.
    let keptEighths = Int.random(in: 0...8, using: &lot)
    for write in pending {
      var place = 0
      while place < write.bytes.count {
        let end = min(place + DiskHistory.sectorByteCount, write.bytes.count)
        if Int.random(in: 0..<8, using: &lot) < keptEighths {
          DiskHistory.copy(write.bytes[place..<end], to: &bytes, at: write.offset + place)
        } else {
          lostCount += 1
        }
        place = end
      }
    }
    return (bytes, lostCount)
  }

  private static func copy(_ bytes: ArraySlice<UInt8>, to target: inout [UInt8], at offset: Int) {
    target.withUnsafeMutableBytes { target in
      bytes.withUnsafeBytes { source in
        UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + source.count])
          .copyMemory(from: source)
      }
    }
  }
}

/// Numbers that are the same for the same seed: SplitMix64 (Steele, Lea, Flood 2014).
package struct Lot: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
