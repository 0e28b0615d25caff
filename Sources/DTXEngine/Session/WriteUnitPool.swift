internal import DTXCore
internal import DTXLinux

/// The units of one end: how many there are bounds what has come and is not written.
final class WriteUnitPool: Sendable {
  /// What a write takes at most, where memory allows.
  ///
  /// A huge page of a memory file system is filled by one write of its size, and zeroed first by a
  /// smaller one; ext4 makes larger folios for larger writes, and took 2 MiB at a time half again as
  /// fast as 256 KiB. The ceiling program was slower again with 4 MiB.
  static let preferredByteCount = 2 << 20

  /// What all units of one end may take together, unless each connection's least is more.
  static let budgetByteCount = 64 << 20

  /// How many units of which size are made.
  struct Shape: Equatable {
    var count: Int
    var byteCount: Int

    /// The units of an end with so many connections.
    ///
    /// A connection holds one that it fills. Two more each are under way to the files meanwhile, and
    /// two are there for connections that take the place of lost ones.
    ///
    /// - Parameter connectionCount: connections at the same time, at least one.
    init(connectionCount: Int) {
      count = 3 * max(1, connectionCount) + 2
      let record = RecordLayout.maximumPayloadByteCount
      let share = WriteUnitPool.budgetByteCount / count
      byteCount = max(record, min(WriteUnitPool.preferredByteCount, share) / record * record)
    }
  }

  private let pool: Pool<WriteUnit>

  /// Maps the memory of all units; none of it is used before it is written to.
  ///
  /// - Parameter connectionCount: connections at the same time.
  /// - Throws: when there is no memory.
  init(connectionCount: Int) throws(SystemError) {
    let shape = Shape(connectionCount: connectionCount)
    var units: [WriteUnit] = []
    for _ in 0..<shape.count { units.append(try WriteUnit(byteCount: shape.byteCount)) }
    pool = Pool(units)
  }

  /// The number of units that are not taken.
  var freeCount: Int { pool.freeCount }

  /// Takes an empty unit, the one given back last; waits until there is one.
  func take() -> WriteUnit {
    pool.take()
  }

  /// Clears a unit and gives it back.
  func give(_ unit: WriteUnit) {
    unit.clear()
    pool.give(unit)
  }
}
