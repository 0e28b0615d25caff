internal import DTXCore

/// How many units of memory an end has, in which bytes of files wait for a disk or a lane, and how
/// long each is.
struct UnitShape: Equatable {
  /// What a write or a read takes at most, where memory allows.
  ///
  /// A huge page of a memory file system is filled by one write of its size, and zeroed first by a
  /// smaller one; ext4 makes larger folios for larger writes, and took 2 MiB at a time half again as
  /// fast as 256 KiB. The ceiling program was slower again with 4 MiB.
  static let preferredByteCount = 2 << 20

  /// What all units of one end may take together, unless each connection's least is more; the spare
  /// ones of a sender may take as much again.
  static let budgetByteCount = 64 << 20

  /// Units of a connection: one that it fills or empties, and two under way from or to a file.
  static let countPerConnection = 3

  /// The number of units.
  let count: Int
  /// The length of each; a multiple of the longest payload of a record.
  let byteCount: Int

  /// Units of a sender's connection that may wait for the far end's word while the kernel sends from
  /// them.
  let spareCountPerConnection: Int

  /// The units of an end with so many connections at the same time.
  ///
  /// Two more are there for connections that take the place of lost ones.
  init(connectionCount: Int) {
    count = UnitShape.countPerConnection * max(1, connectionCount) + 2
    let record = RecordLayout.maximumPayloadByteCount
    let share = UnitShape.budgetByteCount / count
    byteCount = max(record, min(UnitShape.preferredByteCount, share) / record * record)
    spareCountPerConnection = max(
      1,
      UnitShape.budgetByteCount / (max(1, connectionCount) * byteCount)
    )
  }
}
