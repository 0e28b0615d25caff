internal import DTXCore
internal import DTXLinux

/// The units of one end: how many there are bounds what has come and is not written.
final class WriteUnitPool: Sendable {
  private let pool: Pool<WriteUnit>

  /// Maps the memory of all units; none of it is used before it is written to.
  ///
  /// - Parameter connectionCount: connections at the same time.
  /// - Throws: when there is no memory.
  init(connectionCount: Int) throws(SystemError) {
    let shape = UnitShape(connectionCount: connectionCount)
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
