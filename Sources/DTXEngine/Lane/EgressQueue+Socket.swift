internal import DTXCore
internal import DTXLinux

extension EgressQueue {
  /// The queue before the device that a connection's packets leave by.
  ///
  /// - Parameter socket: connected.
  /// - Returns: nil where the kernel does not say: no lane depends on knowing it.
  static func before(_ socket: Socket) -> EgressQueue? {
    guard let device = try? socket.egressDevice() else { return nil }
    let queue = try? EgressQueue.read(
      disciplines: device.disciplines,
      classes: device.classes,
      interface: device.name,
      index: device.index
    )
    return queue ?? nil
  }
}
