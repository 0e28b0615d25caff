internal import CLiburing

/// The device that a connection's packets leave by, with what the kernel says of its queues.
package struct EgressDevice: Sendable {
  package var name: String
  package var index: UInt32
  /// The kernel's messages of RTM_GETQDISC, and of RTM_GETTCLASS for this device: rtnetlink(7).
  package var disciplines: [UInt8]
  package var classes: [UInt8]
}

extension Socket {
  /// A device with some hundred queues has less; more of them are not looked at.
  private static let dumpByteCount = 256 << 10

  /// Asks the kernel for the device that packets of this connection leave by.
  ///
  /// - Returns: the device as its route has it now.
  /// - Throws: ENODEV where there is no route; EMSGSIZE for more queues than anybody has.
  package func egressDevice() throws(SystemError) -> EgressDevice {
    let (here, there) = (try localAddress, try peerAddress)
    let bound = try boundInterface()
    let service = try typeOfService()
    var name = [CChar](repeating: 0, count: 16)
    let result = withCString(Array((bound ?? "").utf8)) { device in
      system {
        dtx_route_device(
          there.bytes,
          here.bytes,
          bound == nil ? nil : device,
          Int32(service),
          &name
        )
      }
    }
    let index = try check("netlink", result)
    return EgressDevice(
      name: String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self),
      index: UInt32(index),
      disciplines: try queues(of: index, areClasses: false),
      classes: try queues(of: index, areClasses: true)
    )
  }

  private func queues(of device: Int, areClasses: Bool) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Socket.dumpByteCount)
    var span = bytes.mutableSpan
    let count = try span.withUnsafeMutableBytes { buffer throws(SystemError) in
      let result = system {
        dtx_queue_dump(areClasses ? 1 : 0, Int32(device), buffer.baseAddress, buffer.count)
      }
      return try check("netlink", result)
    }
    return Array(bytes[..<count])
  }
}
