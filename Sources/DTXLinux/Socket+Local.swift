internal import CLiburing

// Sockets within this machine, at a path.
extension Socket {
  /// Listens at a path, which must not exist and takes the process's umask.
  ///
  /// - Parameter path: at most 107 bytes (unix(7)), else ENAMETOOLONG.
  /// - Returns: for `accept`; whoever made it unlinks the path.
  /// - Throws: EADDRINUSE for a path that is there.
  package static func listen(at path: [UInt8]) throws(SystemError) -> Socket {
    let socket = try local(path, isListening: true)
    // So that a connection that vanishes between poll and accept cannot block the acceptor.
    try socket.check("fcntl", system { dtx_set_blocking(socket.descriptor.raw, 0) })
    return socket
  }

  /// Connects to whoever listens at a path.
  ///
  /// - Parameter path: as for `listen`.
  /// - Returns: a connected socket.
  /// - Throws: ECONNREFUSED where nobody listens any more.
  package static func connect(at path: [UInt8]) throws(SystemError) -> Socket {
    try local(path, isListening: false)
  }

  /// The user of the process at the other end of a local socket.
  package var peerUserID: UInt32 {
    get throws(SystemError) {
      var user: UInt32 = 0
      try check("getsockopt", system { dtx_peer_user(descriptor.raw, &user) })
      return user
    }
  }

  private static func local(_ path: [UInt8], isListening: Bool) throws(SystemError) -> Socket {
    let result = withCString(path) { name in
      system { dtx_local_socket(name, isListening ? 1 : 0) }
    }
    let raw = try checked(result, isListening ? "bind" : "connect", printable(path))
    return Socket(owning: Descriptor(owning: Int32(raw)), label: printable(path))
  }
}
