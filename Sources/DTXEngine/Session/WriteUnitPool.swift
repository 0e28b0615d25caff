internal import DTXCore
internal import DTXLinux

/// The units of one end: how many there are bounds what has come and is not written.
final class WriteUnitPool: Sendable {
  /// What one connection has taken of them.
  ///
  /// It has no more than its share, so that one whose writes hang leaves the others theirs.
  final class Share: Sendable {
    private let takenCount = Guarded(0)

    /// Waits until the connection may take another.
    fileprivate func begin() {
      _ = takenCount.wait { count -> Bool? in
        guard count < UnitShape.countPerConnection else { return nil }
        count += 1
        return true
      }
    }

    fileprivate func end() {
      takenCount.withLockAndSignal { $0 -= 1 }
    }
  }

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
  ///
  /// - Parameter share: the connection's.
  /// - Returns: the unit, until it is given back.
  func take(_ share: Share) -> WriteUnit {
    share.begin()
    let unit = pool.take()
    unit.share = share
    return unit
  }

  /// Clears a unit and gives it back.
  func give(_ unit: WriteUnit) {
    let share = unit.share
    unit.share = nil
    unit.clear()
    pool.give(unit)
    share?.end()
  }
}
