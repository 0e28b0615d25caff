/// Which connections are given up because nothing comes back over them.
///
/// A way can fall silent without a word: a router dies, a reservation ends. TCP then sends again
/// with pauses that double, and gives up after `Limits.peerSilenceNanoseconds`; what the connection
/// carries would wait that long. While another connection still hears of the other end, it need not.
/// Where none does, the fault is the other end's or the whole path's, and patience is all there is.
package enum SilentConnections {
  /// Names the connections to give up.
  ///
  /// - Parameter readings: of all connections that are open.
  /// - Returns: those that have been silent for as long as a lane may be without a connection.
  package static func givenUp(_ readings: [ConnectionReading]) -> [ConnectionReading] {
    let patience = Limits.lanePatienceNanoseconds
    // One that fell silent together with the others tells nothing of them.
    guard readings.contains(where: { $0.silentNanoseconds < patience / 2 }) else { return [] }
    return readings.filter { $0.silentNanoseconds >= patience }
  }
}
