internal import DTXCore
internal import DTXLinux

extension BlockWriter {
  /// What the connections of one end share.
  struct Surroundings: Sendable {
    var destination: Destination
    var table: ReceivingTable
    var workers: StorageWorkers
    var units: WriteUnitPool
    var compressed = CompressionTally()
    var times: ActivityLedger

    /// Makes the units and starts the workers.
    ///
    /// - Parameters:
    ///   - destination: where the data goes; it says how.
    ///   - table: what is expected.
    ///   - times: what the connections' threads do.
    ///   - connectionCount: connections at the same time.
    /// - Throws: `.failed` when there is no memory or no room for the threads.
    init(
      _ destination: Destination,
      _ table: ReceivingTable,
      _ times: ActivityLedger,
      connectionCount: Int
    ) throws(TransferError) {
      self.destination = destination
      self.table = table
      self.times = times
      units = try TransferError.unless("there is no memory to receive into") {
        () throws(SystemError) in try WriteUnitPool(connectionCount: connectionCount)
      }
      workers = try StorageWorkers(destination.method, connectionCount: connectionCount)
    }
  }
}
