internal import CLiburing
internal import Glibc

/// Word from the kernel of calls that sent bytes from where they lie.
package struct ZeroCopyNotification: Sendable, Equatable {
  /// The first call, counted from 0 over the connection, in 32 bits that overflow.
  package var first: UInt32
  /// The last one.
  package var last: UInt32
  /// Whether the kernel copied the bytes after all, as it does on the way to the same host.
  package var isCopied: Bool

  package init(first: UInt32, last: UInt32, isCopied: Bool) {
    self.first = first
    self.last = last
    self.isCopied = isCopied
  }
}

/// Sending without a copy (Documentation/networking/msg_zerocopy.rst, since Linux 4.14).
extension Socket {
  /// Has the kernel take bytes from where they lie, and say when it is done with them.
  ///
  /// - Throws: ENOTSUPP, EOPNOTSUPP or ENOPROTOOPT where it does not do that.
  package func allowZeroCopy() throws(SystemError) {
    try check("setsockopt", system { dtx_allow_zero_copy(descriptor.raw) })
  }

  /// Sends bytes from where they lie, as many as the kernel takes at once.
  ///
  /// - Parameter buffer: is not empty, and what was sent of it stays as it is until
  ///   `takeNotification` has told of this call.
  /// - Returns: how many were sent, by a call that the kernel will tell of; nil where it had no room
  ///   to note one, and sent none.
  /// - Throws: as `sendAll`; then no byte was sent, and the kernel tells of nothing.
  package func sendZeroCopy(_ buffer: UnsafeRawBufferPointer) throws(SystemError) -> Int? {
    let result = system { dtx_send_zero_copy(descriptor.raw, buffer.baseAddress, buffer.count) }
    return result == -Int(ENOBUFS) ? nil : try transferred(result, "send")
  }

  /// Takes word of calls that are done with; nil when there is none.
  ///
  /// Never waits.
  package func takeNotification() throws(SystemError) -> ZeroCopyNotification? {
    var notification = ZeroCopyNotification(first: 0, last: 0, isCopied: false)
    var copied: Int32 = 0
    let result = system {
      dtx_take_notification(descriptor.raw, &notification.first, &notification.last, &copied)
    }
    guard try check("recvmsg", result) > 0 else { return nil }
    notification.isCopied = copied != 0
    return notification
  }
}
